// Objectives on the response time of operations: a percentile by its order-statistic interval, which lies on one side of the
// limit or gives no answer, and the maximum, which is as it was observed. Refuses to pass without samples.

import type { ObjectiveVerdict, Outcome } from '../evidence/verdict.ts'
import { quantileInterval } from './binomial.ts'
import type { Confidence, Objective } from './objectives.ts'
import type { Descending } from './samples.ts'

type Percentile = Pick<Extract<Objective, { kind: 'percentile' }>, 'name' | 'permille' | 'limitMs'>

/**
 * Operations are taken as independent, which makes the interval exact (order statistics and the binomial distribution).
 * @param noise milliseconds; failed and unfinished operations are infinite
 * @param young of the infinite ones those that were cut before the limit: for a fail they count as within it
 */
export function judgePercentile(
  noise: Descending,
  { name, permille, limitMs }: Percentile,
  confidence: Confidence,
  young = 0,
): ObjectiveVerdict {
  const bounds = { low: confidence.fail, high: confidence.pass }
  const asSeen = quantileInterval(noise, permille, bounds)
  const kindest = young === 0 ? asSeen : quantileInterval(withZeros(noise, young), permille, bounds)
  const base = { name, unit: 'ms' as const, limit: limitMs, confidence, ...beyond(noise, limitMs) }
  if (asSeen === null || kindest === null)
    return { ...base, outcome: 'inconclusive', value: null, low: null, high: null }
  const outcome = asSeen.high <= limitMs ? 'pass' : kindest.low > limitMs ? 'fail' : 'inconclusive'
  return { ...base, outcome, value: finite(asSeen.point), low: finite(kindest.low), high: finite(asSeen.high) }
}

/**
 * The largest response time that was observed. It says nothing of operations that were not: no number of samples bounds a
 * maximum, so it has no interval, and passes or fails as seen. Only operations that a cut left open leave it undecided.
 */
export function judgeMax(noise: Descending, limitMs: number, young = 0): ObjectiveVerdict {
  const [largest] = noise
  const base = { name: 'max', unit: 'ms' as const, limit: limitMs, confidence: null, low: null, high: null }
  const counted = beyond(noise, limitMs)
  if (largest === undefined) return { ...base, ...counted, outcome: 'inconclusive', value: null }
  const outcome: Outcome = counted.beyond === 0 ? 'pass' : counted.beyond > young ? 'fail' : 'inconclusive'
  return { ...base, ...counted, outcome, value: finite(largest) }
}

function beyond(noise: Descending, limitMs: number): Pick<ObjectiveVerdict, 'samples' | 'beyond' | 'counted'> {
  let above = 0
  while ((noise[above] ?? 0) > limitMs) above++
  return { samples: noise.length, beyond: above, counted: 'operations' }
}

const finite = (ms: number): number | null => (ms === Number.POSITIVE_INFINITY ? null : ms)

/** The first values, which are the largest, taken for the smallest. */
function withZeros(values: Descending, count: number): Descending {
  const changed = new Float64Array(values.length)
  changed.set(values.subarray(count))
  return changed
}
