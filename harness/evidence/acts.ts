// The evidence of a scenario of acts: evidence.json, the lines of its journal, and its verdict. Holds no logic.

import type { Finding } from './types.ts'
import type { Outcome } from './verdict.ts'

export interface ActsEvidence {
  version: 1
  kind: 'acts'
  scenario: string
  question: string
  target: string
  defect: string | null
  /** Trips of the seeded defect as the engine's second door told them; null without one. Read by no probe and no verdict. */
  defectTrips: number | null
  runSeed: number
  startedAt: string
  endedAt: string
  interrupted: boolean
  partywall: string
  machine: { platform: string; cores: number; memoryGiB: number; node: string }
  stack: { redis: string }
  /** Runs that the target was told to work at the same time. */
  slots: number
  acts: ActFacts[]
  targetDied: string | null
  /** SHA-256 of the files beside this one. */
  files: Record<string, string>
}

export interface ActFacts {
  name: string
  /** Microseconds on the run's clock. */
  startedUs: number
  endedUs: number
  /** `cut`: it did not come to its end, for this reason. `lacking`: the target cannot do what it wants. */
  state: 'done' | 'cut' | 'lacking'
  why: string
}

/** What an act fixed for one tenant before it began. Times are milliseconds. */
export interface ActTenant {
  t: 'tenant'
  act: string
  tenant: string
  startsPerMinute: number
  concurrentRuns: number
  maxRunMs: number
  weight: number
  /** Where the act fixed it. */
  maxPayloadBytes?: number
  /** Declared time of each workflow. */
  declaredMs: Record<string, number>
}

/** One start, as we saw it: on the run's clock. */
export interface ActStart {
  t: 'start'
  act: string
  tenant: string
  workflow: string
  /** HTTP status; 0 when there was no answer. */
  status: number
  id: string | null
  /** Of the request's body, where the act chose it. */
  bytes?: number
  leftUs: number
  answeredUs: number
}

/** One run, as the target told it when it was looked at: milliseconds on the target's clock. */
export interface ActRun {
  t: 'run'
  act: string
  /** Of this act, from 1: an act may look more than once. */
  look: number
  tenant: string
  id: string
  workflow: string
  source: string
  status: string
  attempt: number
  queuedMs: number
  startedMs: number | null
  endedMs: number | null
}

/** Something that was done or seen once: what it was, to whom, and a number that belongs to it. */
export interface ActMark {
  t: 'mark'
  act: string
  tenant: string
  what: string
  value: number
  atUs: number
}

/** What the target holds of a tenant from this time on; times are on the run's clock. */
export interface ActCanary {
  t: 'canary'
  act: string
  tenant: string
  /** The canary itself is never kept: first 12 hex digits of its HMAC. */
  digest: string
  /** The input of an admitted run, or of an entry that was written into the stream and can be none. */
  of: 'run' | 'malformed entry'
  /** How often the tenant has been shown it: a run whose output repeats its input shows it twice. */
  copies: number
  atUs: number
}

/** One answer to a tenant that asked for all that is its own, and the canaries in it. */
export interface ActExport {
  t: 'export'
  act: string
  tenant: string
  /** 0 when there was none, or when it broke off. */
  status: number
  leftUs: number
  answeredUs: number
  bytes: number
  /** Its own: digest and times. */
  own: Array<[digest: string, times: number]>
  foreign: Array<{ owner: string; digest: string; encoding: string }>
}

export type ActLine = ActTenant | ActStart | ActRun | ActMark | ActCanary | ActExport

export interface ActsVerdict {
  outcome: Outcome
  reasons: string[]
  findings: Finding[]
}
