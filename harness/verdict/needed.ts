// How many operations or seconds would have decided an objective that was left undecided, if the share beyond its limit
// stays what this run saw. Exact binomial probabilities, no sampling. An estimate for planning: it decides nothing.

import type { ObjectiveVerdict } from '../evidence/verdict.ts'
import { firstWhere } from './binomial.ts'
import { binomialAtLeast } from './distributions.ts'

/** What an undecided objective would have wanted. */
export interface Needed {
  /** More of what is counted (operations or seconds), about. */
  more: number
  /** Chance that these decide, at least. */
  probability: number
}

/** Beyond this many samples nothing is looked for. */
const SAMPLES_AT_MOST = 1_000_000
/** Tried in this order: of what decides, this is the chance. */
export const PROBABILITIES = [0.95, 0.8] as const

interface Question {
  /** Observed share beyond the limit, 0..1, and the one that the objective permits. */
  rate: number
  permitted: number
  confidence: { pass: number; fail: number }
}

/**
 * P(n samples decide): pass with so few beyond the limit that P(Bin(n, permitted) ≤ c) ≤ 1 − pass, fail with so many that
 * P(Bin(n, permitted) ≥ c) ≤ 1 − fail. These are the intervals' own bounds, turned round (Clopper and Pearson, 1934).
 */
export function decidedBy(samples: number, { rate, permitted, confidence }: Question): number {
  const atMost = (c: number, p: number) => 1 - binomialAtLeast(c + 1, samples, p)
  const passing = firstWhere(0, samples + 1, (c) => atMost(c, permitted) > 1 - confidence.pass) - 1
  const failing = firstWhere(0, samples + 1, (c) => binomialAtLeast(c, samples, permitted) <= 1 - confidence.fail)
  return (passing < 0 ? 0 : atMost(passing, rate)) + binomialAtLeast(failing, samples, rate)
}

/**
 * With 95 % where so many suffice, else with 80 %; null where a million would not, or nothing was counted.
 * @param permitted share beyond the limit that the objective permits, 0..1
 */
export function needed(objective: ObjectiveVerdict, permitted: number): Needed | null {
  const { samples, beyond, confidence } = objective
  if (confidence === null || samples === 0 || permitted <= 0) return null
  const question = { rate: beyond / samples, permitted, confidence }
  for (const probability of PROBABILITIES) {
    const enough = (n: number) => decidedBy(n, question) >= probability
    let [low, high] = [samples, 2 * samples]
    while (high < SAMPLES_AT_MOST && !enough(high)) [low, high] = [high, 2 * high]
    if (high >= SAMPLES_AT_MOST) continue
    // To 2 %: the probability rises in small steps back and forth, and the rate itself is known no better.
    while (high - low > Math.max(1, high / 50)) {
      const middle = (low + high) >> 1
      if (enough(middle)) high = middle
      else low = middle
    }
    return { more: high - samples, probability }
  }
  return null
}
