// What crosses between the run and the generator's thread.

import type { HiccupTally } from '../recording/hiccup.ts'
import type { TenantAccess } from '../target/port.ts'

export interface GeneratorPlan {
  tenants: TenantAccess[]
  ratesPerSecond: number[]
  runSeed: number
  horizonUs: number
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
  /** Answer when every arrival with fromUs <= intended < toUs is resolved, or has waited its timeout. */
  | { type: 'collect'; request: number; fromUs: number; toUs: number; withinMs: number }
  | { type: 'stop' }

export interface Collected {
  type: 'collected'
  request: number
  operations: Float64Array<ArrayBuffer>
  hiccups: HiccupTally
  sightings: ForeignSighting[]
  /** Own canaries seen per tenant since the last collection: the positive control. */
  ownCanaries: number[]
  /** Responses and events scanned per tenant since the last collection. */
  received: number[]
  /** A few of the newest run ids per tenant, for the probes. */
  runIds: string[][]
}

export type FromGenerator = { type: 'subscribed' } | { type: 'problem'; what: string } | Collected
