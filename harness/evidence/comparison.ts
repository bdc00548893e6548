// What `compare` answers of two runs. Holds no logic.

import type { Finding } from './types.ts'
import type { Interval, Outcome } from './verdict.ts'

export interface Difference {
  tenant: string
  what: string
  unit: 'ms' | 'share' | 'ratio'
  /** The figure in each run; null where there is no sample, or an operation that never ended stands there. */
  a: number | null
  b: number | null
  samples: { a: number; b: number }
  /** Second over first, with its interval; null for shares, and where it cannot be formed. */
  ratio: Interval | null
  /** Second minus first, for shares. */
  difference?: Interval
  /** Whether the interval lies on one side of "no change". */
  changed: 'more' | 'less' | 'no evidence' | 'unknown'
}

export interface Comparison {
  /** Of each interval by itself. */
  confidence: number
  outcomes: { a: Outcome; b: Outcome }
  /** Quiet tenants that only one of the runs has. */
  onlyInA: string[]
  onlyInB: string[]
  differences: Difference[]
  findings: Array<{ probe: string; a: Finding['finding'] | 'not asked'; b: Finding['finding'] | 'not asked' }>
}
