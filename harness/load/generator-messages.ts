// What crosses between the run and the generator's thread.

import type { ScanCheck } from '../evidence/run.ts'
import type { HiccupTally } from '../recording/hiccup.ts'
import type { ThrownTally } from '../recording/thrown.ts'
import type { Vitals } from '../recording/vitals.ts'
import type { TenantAccess } from '../target/port.ts'
import type { SampledRun } from './run-sample.ts'
import type { Load } from './shapes.ts'

export interface GeneratorPlan {
  tenants: TenantAccess[]
  /** What each tenant's arrivals are like; they go on until the generator is stopped. */
  loads: Load[]
  runSeed: number
  operationTimeoutMs: number
  canaryKey: string
}

/** A foreign canary in something a tenant received. */
export interface ForeignSighting {
  atUs: number
  receiver: number
  owner: number
  digest: string
  encoding: string
  where: string
}

export type ToGenerator =
  | { type: 'begin'; zeroNs: bigint }
  /**
   * Answer when every arrival that is due before toUs and was not collected yet has ended, or was waited for long enough.
   * Each is collected once: fromUs is where the last collection ended.
   */
  | { type: 'collect'; request: number; fromUs: number; toUs: number; withinMs: number }
  | { type: 'stop' }

export interface Collected {
  type: 'collected'
  request: number
  operations: Float64Array<ArrayBuffer>
  hiccups: HiccupTally
  vitals?: Vitals
  sightings: ForeignSighting[]
  /** Own canaries seen per tenant since the last collection: the positive control. */
  ownCanaries: number[]
  /** Responses and pieces of event streams scanned per tenant since the last collection. */
  received: number[]
  /** A few of the newest run ids per tenant, for the probes. */
  runIds: string[][]
  /** Runs to be asked about at the end, that got their id since the last collection. */
  sampled: SampledRun[]
  /** What went wrong with the generator's own connections since the last collection, each once; no more than 20. */
  problems: string[]
  /** Errors of ours in what the connections called back, since the last collection. */
  thrown: ThrownTally
}

export type FromGenerator = Subscribed | { type: 'problem'; what: string } | Collected

/** Completions can be seen; with what the generator found of its own instruments. */
export interface Subscribed {
  type: 'subscribed'
  scan: ScanCheck
  /** A canary of each tenant, as its sender makes it. */
  minted: string[]
}
