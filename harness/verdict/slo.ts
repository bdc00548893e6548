// The absolute objective: is p99 under noise at most so many milliseconds? Whole interval on one side, or no answer.

import type { Interval, Outcome } from '../evidence/verdict.ts'
import { quantileInterval } from './binomial.ts'
import type { Descending } from './samples.ts'

export interface SloResult {
  outcome: Outcome
  /** Milliseconds; Infinity where failures or too few samples leave no bound. Null without samples. */
  p99: Interval | null
  samples: number
}

/** @param young of the infinite ones those that were cut before the limit: for a fail they count as within it */
export function judgeSlo(noise: Descending, limitMs: number, young = 0): SloResult {
  const asSeen = quantileInterval(noise, 990)
  const kindest = young === 0 ? asSeen : quantileInterval(withZeros(noise, young), 990)
  if (asSeen === null || kindest === null) return { outcome: 'inconclusive', p99: null, samples: 0 }
  const p99 = { ...asSeen, low: kindest.low }
  const outcome = p99.high <= limitMs ? 'pass' : p99.low > limitMs ? 'fail' : 'inconclusive'
  return { outcome, p99, samples: noise.length }
}

/** The first values, which are the largest, taken for the smallest. */
function withZeros(values: Descending, count: number): Descending {
  const changed = new Float64Array(values.length)
  changed.set(values.subarray(count))
  return changed
}
