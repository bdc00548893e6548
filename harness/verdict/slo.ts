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

export function judgeSlo(noise: Descending, limitMs: number): SloResult {
  const p99 = quantileInterval(noise, 990)
  if (p99 === null) return { outcome: 'inconclusive', p99, samples: 0 }
  const outcome = p99.high <= limitMs ? 'pass' : p99.low > limitMs ? 'fail' : 'inconclusive'
  return { outcome, p99, samples: noise.length }
}
