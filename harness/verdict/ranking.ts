// The one place that ranks: fail outranks inconclusive, which outranks pass. Refuses to pass on nothing.

import type { Outcome } from '../evidence/verdict.ts'

const RANK: readonly Outcome[] = ['fail', 'inconclusive', 'pass']

/** One reason and how it bears on the outcome. */
export interface Ground {
  outcome: Outcome
  words: string
}

/** The outcome that outranks the others; of none at all, inconclusive. */
export function worst(outcomes: readonly Outcome[]): Outcome {
  return RANK.find((outcome) => outcomes.includes(outcome)) ?? 'inconclusive'
}

/** Words in the order of rank, within a rank as they came. */
export function ranked(grounds: readonly Ground[]): string[] {
  return RANK.flatMap((outcome) => grounds.filter((g) => g.outcome === outcome).map(({ words }) => words))
}
