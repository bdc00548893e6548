// What the judge answers, as verdict.json holds it. Holds no logic.

import type { Finding } from './types.ts'

export type Outcome = 'pass' | 'fail' | 'inconclusive'

/** A measured fact that must hold before a finding counts. */
export interface Precondition {
  name: string
  held: boolean
  /**
   * What it makes inconclusive when it does not hold: latency findings, of which noise that was too weak spoils a pass only,
   * or the findings about data.
   */
  spoils: 'pass' | 'fail' | 'both' | 'data'
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

/** A quantile of one tenant under noise beside the same without. Null where there is no sample, or it never ended. */
export interface Rise {
  tenant: string
  against: 'placebo' | 'silence'
  quantile: 'p50' | 'p99' | 'p99.9'
  offMs: number | null
  onMs: number | null
  ratio: number | null
  differenceMs: number | null
  samples: { off: number; on: number }
}

/** Reported beside the verdict; nothing in it decides. */
export interface IsolationReport {
  rises: Rise[]
  /** Operations a second in the steady windows. */
  throughput: Array<{
    tenant: string
    offeredPerSecond: { placebo: number | null; noise: number | null }
    donePerSecond: { placebo: number | null; noise: number | null }
  }>
  /** I_QoS over the levels of noise tried: average and largest; loads of all tenants together. Null where it is not defined. */
  influence: { average: number; largest: number; levels: number; refPerSecond: number; disrPerSecond: number } | null
  /** Of the quiet tenants' done over offered under noise. */
  minMaxRatio: number | null
  jain: number | null
  /** The longest time with something due and nothing done, over all blocks. */
  starvationMs: Array<{ tenant: string; ms: number }>
  /** From queued to first started, as the target tells it; empty where it does not. */
  dwell: Array<{ tenant: string; p50Ms: number; p99Ms: number; runs: number }>
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
  isolation: IsolationReport
}
