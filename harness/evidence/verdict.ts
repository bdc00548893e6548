// What the judge answers, as verdict.json holds it. Holds no logic.

import type { Finding } from './types.ts'

export type Outcome = 'pass' | 'fail' | 'inconclusive'

/** A measured fact that must hold before a latency finding may be pass or fail. */
export interface Precondition {
  name: string
  held: boolean
  /** Which latency findings it makes inconclusive when it does not hold: noise that was too weak spoils a pass only. */
  spoils: 'pass' | 'fail' | 'both'
  /** Numbers with unit, count and window. */
  detail: string
}

export interface Interval {
  point: number
  low: number
  high: number
}

export interface TenantVerdict {
  tenant: string
  outcome: Outcome
  reasons: string[]
  samples: { placebo: number; noise: number; silence: number }
  /** Milliseconds; null where there is no sample; Infinity is written as null with a reason. */
  placebo: { p50Ms: number | null; p99Ms: number | null; p999Ms: number | null }
  noise: { p50Ms: number | null; p99Ms: number | null; p999Ms: number | null }
  ratio: Interval | null
  successRatio: Interval
  interference: Outcome
  slo: Outcome
  success: Outcome
}

export interface Verdict {
  outcome: Outcome
  reasons: string[]
  tenants: TenantVerdict[]
  interference: {
    outcome: Outcome
    pairs: number
    pairsPlanned: number
    passEdge: number
    failEdge: number
    /** Smallest ratio that this run would have detected 95 % of the time; null when it could not be computed. */
    detectableRatio: number | null
    looks: Array<{ pair: number; outcome: Outcome }>
  }
  findings: Finding[]
  preconditions: Precondition[]
}
