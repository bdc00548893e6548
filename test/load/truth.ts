// The analytic truth: what an ideal client of an open model must see of a server whose answers are arithmetic. It sends
// each arrival when it is due and nothing lies between it and the server. Pure; refuses to measure anything.

import { scheduleTenants } from '../../harness/load/schedule.ts'
import type { Load } from '../../harness/load/shapes.ts'
import type { Answers } from './pathologies.ts'

/**
 * Intended starts of each tenant, microseconds, ascending, as the generator will draw them. The window's first moment is 0;
 * what is due before it is the warm-up.
 */
export function intendedStarts(
  runSeed: number,
  loads: readonly Load[],
  { warmUpUs, windowUs }: { warmUpUs: number; windowUs: number },
): number[][] {
  const starts = loads.map((): number[] => [])
  for (const { tenant, intendedUs } of scheduleTenants(runSeed, loads)) {
    if (intendedUs >= warmUpUs + windowUs) break
    starts[tenant]?.push(intendedUs - warmUpUs)
  }
  return starts
}

/**
 * Response times of what is due in the window, microseconds, ascending; Infinity for what is never answered. The warm-up
 * goes through the server's queue as well, and is not counted.
 * @param intendedUs ascending
 */
export function truthOf(answers: Answers, intendedUs: readonly number[]): number[] {
  const responses = intendedUs.map((us) => (answers(us) ?? Number.POSITIVE_INFINITY) - us)
  return responses.filter((_, i) => (intendedUs[i] ?? 0) >= 0).sort((x, y) => (x < y ? -1 : 1))
}

/** Nearest rank, as the recorded histograms are read. @param ascending not empty @param q 0..1 */
export function rankAt(ascending: readonly number[], q: number): number {
  return ascending[Math.max(1, Math.ceil(ascending.length * q)) - 1] ?? Number.NaN
}

const LEAST_FOR_P999 = 10_000

/** The quantiles that n samples carry: the last tells of fewer than ten of them below 10,000. */
export function quantilesFor(n: number): readonly number[] {
  return n >= LEAST_FOR_P999 ? [0.5, 0.9, 0.99, 0.999] : [0.5, 0.9, 0.99]
}

/** How far a measured quantile may lie from the truth, milliseconds: 5 % of it, or 2 ms where that is more. */
export function toleranceMs(truthMs: number): number {
  return Math.max(2, truthMs / 20)
}
