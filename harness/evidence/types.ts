// The frozen record every claim cites: what a run saved, in the shape it was saved.
// This file imports nothing of ours, holds no logic and refuses secrets: a canary is an owner and a digest.

/** The four kinds of time a block belongs to. Only `placebo` and `noise` are compared by the verdict. */
export type Arm = 'silence' | 'placebo' | 'noise'

/** One tenant in one steady window of one block. Times are integer microseconds at 3 significant digits. */
export interface TenantWindow {
  tenant: string
  /** Arrivals whose intended start lies in the steady window: scheduled, sent, answered well, answered badly, never answered. */
  offered: number
  sent: number
  ok: number
  failed: number
  unfinished: number
  /** Absent when nothing in the window was cut. */
  cut?: CutWindow
  /** Response times of ok operations as [valueUs, count], ascending. Failed and unfinished ones are infinite and not in here. */
  responseUs: ReadonlyArray<readonly [number, number]>
  /** The window in stretches of one second, the last as long as is left. Absent where no objective asks about seconds. */
  seconds?: SecondWindow[]
}

/** One tenant in one stretch of at most a second: arrivals whose intended start lies in it. */
export interface SecondWindow {
  lengthUs: number
  offered: number
  /** Of these, never answered in a window that was cut: nobody knows how they would have ended. */
  open: number
  /** Of the ok ones, ascending; what is offered and not in here is infinite. */
  responseUs: ReadonlyArray<readonly [number, number]>
}

/** Of the unfinished ones those that were still open when the run was cut: nobody knows how they would have ended. */
export interface CutWindow {
  /** Younger than the operation timeout: they may still have ended well. */
  open: number
  /** Of these, younger than the largest limit of the objectives: they may still have ended within theirs. */
  young: number
}

/** One block: its arm, its pair (silence has none) and its steady window on the generator's clock. */
export interface Block {
  index: number
  arm: Arm
  /** 1-based; both blocks of a pair carry the same number; null for silence. */
  pair: number | null
  /** Microseconds since the generator's zero. The first `settleUs` after startUs are cut. */
  startUs: number
  settleUs: number
  endUs: number
  tenants: TenantWindow[]
}

/** The kinds of noise: floods of requests and of entries, starts of slow runs, large bodies, refusals sent again at once. */
export type MakerName = 'api' | 'stream' | 'slow' | 'payload' | 'retry'

/** What one noise maker did in the blocks of one arm. */
export interface MakerTally {
  ordered: number
  sent: number
  /** Answers of the target (noise) or of our sink (placebo); those that refused among them. */
  answered: number
  refused: number
  /** Lost, never answered, or answered with Redis' error. */
  errors: number
  /** Sent after the end of their block. */
  sentLate: number
  /** From the beginning of a block to the last operation sent for it, the largest of all blocks. */
  lastSentUs: number
  /** What our sink received: all that was sent under placebo, nothing under noise; in an A/A run all in both arms. */
  sinkSeen: number
  cpuUs: number
}

/** What the noise makers did in one arm: all together, requests by whatever maker, and each by itself. */
export interface NoiseTally {
  apiSent: number
  apiAnswered: number
  apiRefused: number
  apiErrors: number
  streamSent: number
  streamErrors: number
  /** CPU of the noise makers' threads, microseconds. */
  cpuUs: number
  makers: Partial<Record<MakerName, MakerTally>>
}

/** Percentiles of the response time that an objective may name, and what they must be at most, milliseconds. */
export interface PercentileLimits {
  p50Ms?: number | undefined
  p90Ms?: number | undefined
  p99Ms?: number | undefined
  p999Ms?: number | undefined
}

/** At least this share (0..1, both excluded) of the seconds must each keep the percentile; exactly one is named. */
export interface GoodSeconds extends PercentileLimits {
  share: number
}

/** The objectives of a role or a tenant. What it leaves out is as in the one below it: tenant, role, whole scenario. */
export interface SloProfile extends PercentileLimits {
  /** No operation may take longer, milliseconds. */
  maxMs?: number | undefined
  successRatio?: number | undefined
  goodSeconds?: GoodSeconds | undefined
}

export interface Objectives {
  /** p99 of response time must be at most this many milliseconds. */
  p99Ms: number
  /** Share of offered quiet operations that must end well, 0..1. */
  successRatio: number
  /** Largest allowed p99(noise)/p99(placebo). */
  interferenceRatio: number
  /** Absolute floor in milliseconds below which a rise is no interference; 0 for none. */
  interferenceFloorMs: number
  /** By role (`quiet`) or by the label of a quiet tenant (`quiet-1`); absent where the two figures above are all. */
  profiles?: Record<string, SloProfile> | undefined
}

export interface Observation {
  atUs: number
  arm: Arm | 'other'
  what: string
}

export interface Finding {
  probe: string
  finding: 'held' | 'broken' | 'inconclusive' | 'not-applicable'
  /** Tenants whose promise this is about; for a broken one, whose bytes were seen and who saw them. */
  tenants: string[]
  /** How often the question was asked and how often the owner's positive control succeeded. */
  opportunities: number
  controls: number
  reason: string
  /** The smallest witness: at most a few observations. */
  witness: Observation[]
}
