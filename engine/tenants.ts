// The register of tenants: create, read, change, remove; and who a token speaks for. Keeps what it knows of a tenant for
// at most one second, so that a refusal costs no question to Redis. Refuses to keep a token: only its digest is stored.

import { z } from 'zod'
import { Cursors } from './api/cursors.ts'
import { type DeletionProof, proofOf } from './deletion.ts'
import { EngineError } from './errors.ts'
import { tenantKey, tenantKeys } from './queue/keys.ts'
import type { FunctionLibrary } from './queue/library.ts'
import type { Depth, Queue } from './queue/queue.ts'
import type { Connection } from './redis.ts'
import { removeStreamUser } from './stream-access.ts'
import type { Objectives, ObjectivesPatch } from './telemetry/slo.ts'
import {
  digestOf,
  type Limits,
  type LimitsPatch,
  newToken,
  sameDigest,
  type TenantId,
  type TenantState,
  tenantOfToken,
} from './tenant.ts'

export interface TenantView extends Depth {
  id: TenantId
  state: TenantState
  createdAtMs: number
  limits: Limits
  objectives: Objectives
  stream: string
}

/** What a request needs to know of its tenant before its body is read. */
export interface Caller {
  id: TenantId
  state: TenantState
  limits: Limits
  objectives: Objectives
  /** On Redis' clock. */
  createdAtMs: number
  cursors: Cursors
  /** Told from an earlier tenant of the same name by this. */
  life: string
}

export interface TenantChange {
  limits?: LimitsPatch | undefined
  objectives?: ObjectivesPatch | undefined
  state?: TenantState | undefined
}

interface Known {
  caller: Caller
  digest: string
  untilMs: number
}

const KEPT_MS = 1000
const KNOWN_MAX = 10_000

const stored = z.object({
  state: z.enum(['active', 'suspended']),
  token: z.string(),
  /** Microseconds, Redis' clock. */
  epoch: z.coerce.number(),
  startsPerMinute: z.coerce.number(),
  concurrentRuns: z.coerce.number(),
  maxRunMs: z.coerce.number(),
  maxQueued: z.coerce.number(),
  maxPayloadBytes: z.coerce.number(),
  weight: z.coerce.number(),
  responseMs: z.coerce.number(),
  inTimeRatio: z.coerce.number(),
  successRatio: z.coerce.number(),
})

export interface TenantsParts {
  redis: Connection
  library: FunctionLibrary
  queue: Queue
  namespace: string
  /** Seals the proof of a deletion. */
  adminToken: string
  /** Told when a tenant's limits or state change: whoever keeps something about it lets it go. */
  changed: (tenant: TenantId) => void
}

const pairsOf = (fields: object): (string | number)[] =>
  Object.entries(fields).flatMap(([name, value]) => (value === undefined ? [] : [name, value]))

export class Tenants {
  readonly #parts: TenantsParts
  readonly #known = new Map<TenantId, Known>()
  readonly #turns = new Map<TenantId, Promise<void>>()
  readonly #asking = new Map<TenantId, Promise<Known | null>>()

  constructor(parts: TenantsParts) {
    this.#parts = parts
  }

  /**
   * One after the other: creating and removing touch the tenant's slot and the scheduler's, and two at once could leave
   * one half of each. Between processes the last to finish wins.
   */
  async #inTurn<T>(id: TenantId, work: () => Promise<T>): Promise<T> {
    const before = this.#turns.get(id)
    const turn = (before ?? Promise.resolve()).then(work)
    const settled = turn.then(
      () => {},
      () => {},
    )
    this.#turns.set(id, settled)
    try {
      return await turn
    } finally {
      if (this.#turns.get(id) === settled) this.#turns.delete(id)
    }
  }

  create(id: TenantId, limits: Limits, objectives: Objectives) {
    return this.#inTurn(id, () => this.#create(id, limits, objectives))
  }

  async #create(id: TenantId, limits: Limits, objectives: Objectives) {
    const { library, queue } = this.#parts
    const token = newToken(id)
    const fields = ['state', 'active', 'token', digestOf(token), ...pairsOf(limits), ...pairsOf(objectives)]
    if ((await library.call('setup', tenantKeys(id), fields)) !== 1) throw new EngineError('tenant-exists')
    this.letGo(id)
    await queue.register(id)
    return { id, token, stream: queue.streamOf(id), limits, objectives }
  }

  async view(id: TenantId): Promise<TenantView> {
    const { queue } = this.#parts
    const { state, createdAtMs, limits, objectives } = await this.byId(id)
    return { id, state, createdAtMs, limits, objectives, ...(await queue.depth(id)), stream: queue.streamOf(id) }
  }

  /** As it is now: nothing that was kept. @throws EngineError tenant-unknown */
  async byId(id: TenantId): Promise<Caller> {
    const found = await this.#read(id)
    if (!found) throw new EngineError('tenant-unknown')
    return found.caller
  }

  async change(id: TenantId, { limits, objectives, state }: TenantChange): Promise<TenantView> {
    const { library, queue } = this.#parts
    const fields = [...pairsOf(limits ?? {}), ...pairsOf(objectives ?? {})]
    const found = [
      fields.length === 0 || (await library.call('relimit', tenantKeys(id), fields)) === 1,
      state !== 'suspended' || (await queue.suspend(id)),
      state !== 'active' || (await queue.resume(id)),
    ]
    if (found.includes(false)) throw new EngineError('tenant-unknown')
    this.letGo(id)
    this.#parts.changed(id)
    return await this.view(id)
  }

  /** Everybody who keeps something about the tenant hears of it from the queue, in every process. */
  remove(id: TenantId): Promise<DeletionProof> {
    return this.#inTurn(id, () => this.#remove(id))
  }

  async #remove(id: TenantId): Promise<DeletionProof> {
    const { queue, redis, namespace, adminToken } = this.#parts
    // First, so that no direct writer makes the stream anew.
    const aclUsers = await removeStreamUser(redis, id)
    const dropped = await queue.drop(id)
    this.letGo(id)
    if (dropped === null) throw new EngineError('tenant-unknown')
    return await proofOf(id, dropped, aclUsers, { redis, namespace, sealKey: adminToken })
  }

  /** Who the token speaks for. Null for every kind of wrong token alike. */
  async byToken(token: string): Promise<Caller | null> {
    const id = tenantOfToken(token)
    if (id === null) return null
    const known = this.#known.get(id)
    const found = known && known.untilMs > performance.now() ? known : await this.#ask(id)
    return found && sameDigest(found.digest, digestOf(token)) ? found.caller : null
  }

  #ask(id: TenantId): Promise<Known | null> {
    const asked = this.#asking.get(id)
    if (asked) return asked
    const asking = this.#read(id)
      .then((found) => {
        // Let go of meanwhile: this answer may be from before the change.
        if (found && this.#asking.get(id) === asking) {
          if (this.#known.size >= KNOWN_MAX) this.#known.clear()
          this.#known.set(id, found)
        }
        return found
      })
      .finally(() => {
        if (this.#asking.get(id) === asking) this.#asking.delete(id)
      })
    this.#asking.set(id, asking)
    return asking
  }

  async #read(id: TenantId): Promise<Known | null> {
    const found = stored.safeParse(await this.#parts.redis.hgetall(tenantKey.ctl(id)))
    if (!found.success) return null
    const { token: digest, state, epoch, responseMs, inTimeRatio, successRatio, ...limits } = found.data
    const objectives = { responseMs, inTimeRatio, successRatio }
    const createdAtMs = Math.floor(epoch / 1000)
    const caller = { id, state, limits, objectives, createdAtMs, cursors: new Cursors(digest), life: digest }
    return { caller, digest, untilMs: performance.now() + KEPT_MS }
  }

  /** Forgets what was kept: asked again, it is read again. */
  letGo(id: TenantId): void {
    this.#known.delete(id)
    this.#asking.delete(id)
  }
}
