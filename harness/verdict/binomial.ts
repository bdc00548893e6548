// Exact intervals from counts alone: order statistics for a quantile, Clopper and Pearson for a share.
// Every bound is one-sided; at 95 %, where nothing else is said, a claim about one side is wrong at most once in twenty.

import type { Interval } from '../evidence/verdict.ts'
import { betaCumulative, binomialAtLeast } from './distributions.ts'
import type { Descending } from './samples.ts'

const CONFIDENCE = 0.95

/** One-sided confidence of each bound, 0..1. */
interface Bounds {
  low: number
  high: number
}

const BOTH: Bounds = { low: CONFIDENCE, high: CONFIDENCE }

/**
 * Ranks from the smallest (1..n) whose values bound a quantile; low 0 and high n+1 mean "no bound".
 * @param confidence of each bound by itself
 */
export function quantileRanks(
  samples: number,
  quantile: number,
  confidence = CONFIDENCE,
): { low: number; high: number } {
  // X_(j) ≥ q_p with probability P(Bin(n,p) ≤ j−1); X_(j) ≤ q_p with probability at least P(Bin(n,p) ≥ j).
  const atLeast = (j: number) => binomialAtLeast(j, samples, quantile)
  const high = firstWhere(1, samples + 1, (j) => j > samples || 1 - atLeast(j) >= confidence)
  const low = firstWhere(1, samples + 1, (j) => j > samples || atLeast(j) < confidence) - 1
  return { low, high }
}

/** The first whole number in from..to for which a condition that stays true once true holds. */
export function firstWhere(from: number, to: number, holds: (j: number) => boolean): number {
  let low = from
  let high = to
  while (low < high) {
    const middle = (low + high) >> 1
    if (holds(middle)) high = middle
    else low = middle + 1
  }
  return low
}

/**
 * Interval for the quantile `permille`/1000 of a descending list. High is Infinity when samples are too few or when
 * failures reach that far; low is 0 when samples are too few. Null without samples.
 * @param confidence of each bound by itself
 */
export function quantileInterval(values: Descending, permille: number, confidence: Bounds = BOTH): Interval | null {
  const n = values.length
  const point = values[Math.floor((n * (1000 - permille)) / 1000)]
  if (point === undefined) return null
  const { low } = quantileRanks(n, permille / 1000, confidence.low)
  const { high } = quantileRanks(n, permille / 1000, confidence.high)
  return { point, low: low === 0 ? 0 : (values[n - low] ?? 0), high: values[n - high] ?? Number.POSITIVE_INFINITY }
}

/** Clopper-Pearson bounds for a share of `good` among `all`; 0..1 when nothing was counted. @param confidence of each bound */
export function shareInterval(good: number, all: number, confidence: Bounds = BOTH): Interval {
  if (all === 0) return { point: 0, low: 0, high: 1 }
  const low = good === 0 ? 0 : betaQuantile(1 - confidence.low, good, all - good + 1)
  const high = good === all ? 1 : betaQuantile(confidence.high, good + 1, all - good)
  return { point: good / all, low, high }
}

/** x with I_x(a, b) = p, by bisection to the last bit that matters. */
function betaQuantile(p: number, a: number, b: number): number {
  let low = 0
  let high = 1
  for (let turn = 0; turn < 60; turn++) {
    const middle = (low + high) / 2
    if (betaCumulative(middle, a, b) < p) low = middle
    else high = middle
  }
  return (low + high) / 2
}
