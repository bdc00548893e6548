// What the engine asks of a queue. It is one of the replaceable parts, so this file says all that the API and the workers
// may rely on. Refuses nothing; implementations do.

import type { Connection } from '../redis.ts'
import type { TenantId } from '../tenant.ts'
import type { Outcome } from '../workflow.ts'
import type { FunctionLibrary } from './library.ts'
import type { Meter } from './meter.ts'

export interface Claim {
  tenant: TenantId
  entryId: string
  /** From 1. */
  attempt: number
  /** Opaque. Only its holder may renew or complete the run; it is void once somebody else ended the run or took it. */
  fence: string
  workflow: string
  /** JSON; empty when the definition is gone. */
  definition: string
  /** JSON as far as the writer kept to it. */
  inputText: string
  /** From the claim on; the deadline in Redis is the hard one. */
  maxRunMs: number
  /** What the scheduler was told at the claim: virtual milliseconds, so that `complete` can correct it. */
  tag: number
  /** When the claim was asked for, on this process' monotonic clock: the lease cannot have begun earlier. */
  askedAtMs: number
}

export type Refusal =
  | { state: 'refused'; code: 'rate-limited' | 'queue-full'; retryAfterMs: number }
  | { state: 'suspended' }
  /** The input is larger than the limit that is in force, `maxPayloadBytes`. */
  | { state: 'too-large'; bytesMax: number }
  | { state: 'unknown'; code: 'tenant-unknown' | 'workflow-unknown' }

export type Admission =
  /** `repeated`: the key was used before with the same start; the id is that of the first run. */
  | { state: 'admitted'; entryId: string; repeated: boolean }
  /** The key was used before for another workflow or input. */
  | { state: 'conflict' }
  | Refusal

export type Cancellation =
  | { state: 'cancelled'; wasRunning: boolean }
  /** Ended before; nothing was changed. */
  | { state: 'finished'; status: string }
  | { state: 'unknown' }

export interface DeadLetter {
  /** Its place among the tenant's dead letters; ascending with time. */
  id: string
  /** The entry that it was: `runIdOf` gives the id of the run. */
  entryId: string
  /** For instance `workflow-unknown`, `input-malformed`, `rate-limited`, `queue-full`, `attempts-exhausted`. */
  reason: string
  atMs: number
  workflow: string
  /** Cut at the tenant's `maxPayloadBytes`. */
  inputText: string
  cut: boolean
  /** What else the entry held, its `key` among it: name and value, in its order; as many bytes as of the input, 100 at most. */
  fields: [name: string, value: string][]
}

export type Redrive =
  | { state: 'admitted'; entryId: string }
  /** It would only die again, for this reason. It stays where it is. */
  | { state: 'unfit'; reason: string }
  /** No such letter, or it was redriven before. */
  | { state: 'missing' }
  | Refusal

/** What a deletion took away: counts, all taken in the same instant. */
export interface Dropped {
  /** Redis keys of the tenant that existed and were unlinked. */
  keys: number
  /** Entries that waited. */
  queued: number
  /** Runs in flight, fenced from this instant on. */
  fenced: number
  finished: number
  deadLetters: number
  /** Traces in the scheduler's slot that were removed. */
  schedulerEntries: number
}

export interface Depth {
  queued: number
  active: number
}

export interface Queue {
  /** The stream into which the tenant's own event sources may write. */
  streamOf(tenant: TenantId): string
  /**
   * `inputText` is JSON. An admitted run is known to the queue: it needs no touch. A `key` (1 to 256 characters) makes
   * the start idempotent, for as long as the run is kept.
   */
  admit(tenant: TenantId, workflow: string, inputText: string, key?: string): Promise<Admission>
  cancel(tenant: TenantId, entryId: string): Promise<Cancellation>
  /** Oldest first; `after` is the id of the last one seen. Fewer than `limit` when their inputs are large, never none of some. */
  deadLetters(tenant: TenantId, after: string | null, limit: number): Promise<DeadLetter[]>
  /** Starts it again in its own tenant, charged like any start; then it is no dead letter any more. */
  redrive(tenant: TenantId, letterId: string): Promise<Redrive>
  /** No starts, no claims; what runs goes on. False when there is no such tenant. */
  suspend(tenant: TenantId): Promise<boolean>
  resume(tenant: TenantId): Promise<boolean>
  /** Removes the tenant; null when there was none (its traces are removed all the same). */
  drop(tenant: TenantId): Promise<Dropped | null>
  meter(tenant: TenantId): Promise<Meter>
  depth(tenant: TenantId): Promise<Depth>
  register(tenant: TenantId): Promise<void>
  /** Something about the tenant changed (its limits, for instance): look again whether it can run something. */
  touch(tenant: TenantId): void

  /** Calls back whenever `next` may find something; the callee answers whether it has a free slot. */
  onWork(wake: () => boolean): void
  /** Calls back when a run in flight was ended by somebody else: cancelled, or its tenant was dropped (fence null). */
  onVoid(tell: (tenant: TenantId, fence: string | null) => void): void
  /**
   * At most `free` runs, which the caller now has to run; `again`: ask again at once; `others`: tenants are ready beside
   * those that these are of, so that a second call at the same time brings more. True where it is left out.
   */
  next(free: number): Promise<{ claims: Claim[]; again: boolean; others?: boolean }>
  /** Whether the outcome counted; false when the run was ended by somebody else. Settles with the next call of `next`. */
  complete(claim: Claim, outcome: Outcome): Promise<boolean>
  /** Prolongs the leases of runs in flight; the claims among them that are void. */
  renew(claims: readonly Claim[]): Promise<Claim[]>
  /** One step of the slow look for work without a bell, for lost leases and for runs past their deadline. */
  audit(): Promise<void>
  /** Tells what was kept back, gives turns back: when the worker stops. */
  settle(): Promise<void>
  close(): Promise<void>
  /** Unlinks what is not a tenant's: for an engine that must leave nothing. */
  unlinkOwn(): Promise<void>
}

/** The places where a process may die, for the suites that kill it there. */
export type CrashPoint = 'after-admit' | 'after-bell' | 'after-pick' | 'after-claim' | 'before-complete'

export interface QueueParts {
  redis: Connection
  /** A connection of its own for a call that blocks; null in a process that runs nothing. */
  bell: Connection | null
  /** Already listening for messages; the queue subscribes to what it needs. */
  subscriber: Connection
  library: FunctionLibrary
  namespace: string
  /** The window of `startsPerMinute`, milliseconds: 60,000 outside tests. */
  windowMs: number
  /** How long a silent worker keeps its runs, milliseconds. */
  leaseMs: number
  passed?: (point: CrashPoint) => void
}

export type QueueFactory = (parts: QueueParts) => Queue
