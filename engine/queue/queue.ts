// What the engine asks of a queue. It is one of the replaceable parts, so this file says all that the API and the workers
// may rely on. Refuses nothing; implementations do.

import type { ErrorCode } from '../errors.ts'
import type { Connection } from '../redis.ts'
import type { TenantId } from '../tenant.ts'
import type { Outcome } from '../workflow.ts'
import type { FunctionLibrary } from './library.ts'

export interface Claim {
  tenant: TenantId
  entryId: string
  attempt: number
  workflow: string
  /** JSON; empty when the definition is gone. */
  definition: string
  /** JSON as far as the writer kept to it. */
  inputText: string
  /** From the claim on; the deadline in Redis is the hard one. */
  maxRunMs: number
}

export type Admission =
  | { state: 'admitted'; entryId: string }
  | { state: 'refused'; code: Extract<ErrorCode, 'rate-limited' | 'queue-full'>; retryAfterMs: number }
  | { state: 'unknown'; code: Extract<ErrorCode, 'tenant-unknown' | 'workflow-unknown'> }

export interface Depth {
  queued: number
  active: number
}

export interface Queue {
  /** The stream into which the tenant's own event sources may write. */
  streamOf(tenant: TenantId): string
  /** `inputText` is JSON. An admitted run is known to the queue: it needs no touch. */
  admit(tenant: TenantId, workflow: string, inputText: string): Promise<Admission>
  /** Calls back whenever `next` may find something. */
  onWork(wake: () => void): void
  /** At most `free` runs, which the caller now has to run; `again`: ask again at once. */
  next(free: number): Promise<{ claims: Claim[]; again: boolean }>
  /** Whether the outcome counted; false when the run was ended by somebody else. */
  complete(claim: Claim, outcome: Outcome): Promise<boolean>
  /** One step of the slow look for work without a bell and for runs past their deadline. */
  audit(): Promise<void>
  depth(tenant: TenantId): Promise<Depth>
  register(tenant: TenantId): Promise<void>
  forget(tenant: TenantId): Promise<void>
  /** Gives turns back, when the worker stops. */
  settle(): Promise<void>
  /** Unlinks what is not a tenant's: for an engine that must leave nothing. */
  unlinkOwn(): Promise<void>
}

export interface QueueParts {
  redis: Connection
  library: FunctionLibrary
  namespace: string
  /** The window of `startsPerMinute`, milliseconds: 60,000 outside tests. */
  windowMs: number
}

export type QueueFactory = (parts: QueueParts) => Queue
