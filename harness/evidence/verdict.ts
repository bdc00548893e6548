// What the judge answers, as verdict.json holds it. Holds no logic.

import type { Arm, Finding } from './types.ts'

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

/** One objective of one tenant under noise. */
export interface ObjectiveVerdict {
  /** `p99`, `max`, `success`, or `seconds with p99 within 250 ms`. */
  name: string
  unit: 'ms' | 'share'
  /** At most for ms, at least for a share. */
  limit: number
  outcome: Outcome
  /** As observed; null without samples, or where an operation that failed or never ended stands there. */
  value: number | null
  /**
   * Bounds of the true value; null where there is none, or it is infinite. The one on the limit's far side carries a pass, the
   * one on its near side a fail. Each holds with the confidence below; both are null of a maximum, which is as observed.
   */
  low: number | null
  high: number | null
  /** One-sided, 0..1: a pass must hold for each objective by itself, the fail level is shared between all of them. */
  confidence: { pass: number; fail: number } | null
  /** Operations, or seconds. */
  samples: number
  /** Of these, beyond the limit: too slow, failed, or seconds that were not good. */
  beyond: number
  counted: 'operations' | 'seconds'
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
  /** Those of response times first, then the success ratio. */
  objectives: ObjectiveVerdict[]
  interference: Outcome
  /** Of all objectives on response times together. */
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

/** One figure for each arm that is compared; null where it cannot be formed. */
export interface ByArm {
  placebo: number | null
  noise: number | null
}

/** One tenant's quiet operations in the steady windows: how many, how many a second, and which share ended well. */
export interface Throughput {
  tenant: string
  offered: ByArm
  done: ByArm
  offeredPerSecond: ByArm
  donePerSecond: ByArm
  /** Done over offered, 0..1. */
  successRatio: ByArm
}

/** One level of noise that was ordered, and what it did to all quiet tenants together. */
export interface NoiseLevel {
  /** Requests and entries a second that were sent at the target under noise. */
  noisePerSecond: number
  /** Load of all tenants together without noise and with it, operations a second. */
  refPerSecond: number
  disrPerSecond: number
  /** Sum of the quiet tenants' p99s without noise and with it, ms; null where one of them never ended. */
  refP99SumMs: number | null
  disrP99SumMs: number | null
  /** I_QoS: 0 is perfect isolation; null where it is not defined. */
  influence: number | null
}

/** Runs as the target tells them, on its own clock: from queued to first executed, milliseconds. */
export interface DwellTimes {
  /** Null where the quantile lies among runs that had not begun when they were asked about. */
  p50Ms: number | null
  p99Ms: number | null
  runs: number
}

export type DwellReport =
  | { state: 'not-told'; why: string }
  | {
      state: 'told'
      /** Of the sample: how many runs were to be asked about, were told, and were not known (any more). */
      questions: number
      answered: number
      unknown: number
      /** Left out, as their first execution is not told. */
      triedAgain: number
      /** What ended the asking before its time; empty when nothing did. */
      endedEarly: string
      tenants: Array<{ tenant: string } & Record<Arm, DwellTimes | null>>
    }

/** Reported beside the verdict; nothing in it decides. */
export interface IsolationReport {
  /** The steady windows: all figures are of these, unless they say otherwise. */
  windows: Record<Arm, { blocks: number; seconds: number }>
  rises: Rise[]
  throughput: Throughput[]
  /** I_avg and I_max over the levels of noise: with one level they are the same. Null where no level has an influence. */
  influence: { average: number | null; largest: number | null; levels: NoiseLevel[] }
  /** Of the quiet tenants' done over offered under noise; of so many tenants. */
  minMaxRatio: number | null
  jain: number | null
  evennessOf: number
  /** The longest time with something due and nothing done, from the first block's start to the last one's end. */
  starvation: { overSeconds: number; tenants: Array<{ tenant: string; ms: number; operations: number }> } | null
  dwell: DwellReport
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
