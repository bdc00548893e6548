// The register of tenants: create, read, change, remove; and who a token speaks for. Keeps what it knows of a tenant for
// at most one second, so that a refusal costs no question to Redis. Refuses to keep a token: only its digest is stored.

import { z } from 'zod'
import { Cursors } from './api/cursors.ts'
import { EngineError } from './errors.ts'
import { tenantKey, tenantKeys } from './queue/keys.ts'
import type { FunctionLibrary } from './queue/library.ts'
import type { Depth, Queue } from './queue/queue.ts'
import type { Connection } from './redis.ts'
import {
  digestOf,
  type Limits,
  type LimitsPatch,
  limitNames,
  newToken,
  sameDigest,
  type TenantId,
  type TenantState,
  tenantOfToken,
} from './tenant.ts'

export interface TenantView extends Depth {
  id: TenantId
  state: TenantState
  limits: Limits
  stream: string
}

/** What a request needs to know of its tenant before its body is read. */
export interface Caller {
  id: TenantId
  limits: Limits
  cursors: Cursors
  /** Told from an earlier tenant of the same name by this. */
  life: string
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
  startsPerMinute: z.coerce.number(),
  concurrentRuns: z.coerce.number(),
  maxRunMs: z.coerce.number(),
  maxQueued: z.coerce.number(),
  maxPayloadBytes: z.coerce.number(),
  weight: z.coerce.number().default(1),
})

export interface TenantsParts {
  redis: Connection
  library: FunctionLibrary
  queue: Queue
  /** Told when a tenant's limits change or it is removed: whoever keeps something about it lets it go. */
  changed: (tenant: TenantId, what: 'limits' | 'removed') => void
}

export class Tenants {
  readonly #parts: TenantsParts
  readonly #known = new Map<TenantId, Known>()
  readonly #asking = new Map<TenantId, Promise<Known | null>>()

  constructor(parts: TenantsParts) {
    this.#parts = parts
  }

  async create(id: TenantId, limits: Limits): Promise<{ id: TenantId; token: string; stream: string; limits: Limits }> {
    const { library, queue } = this.#parts
    const token = newToken(id)
    const fields = [
      'state',
      'active',
      'token',
      digestOf(token),
      'createdAt',
      Date.now(),
      ...limitNames.flatMap((name) => [name, limits[name]]),
    ]
    if ((await library.call('setup', tenantKeys(id), fields)) !== 1) throw new EngineError('tenant-exists')
    this.#letGo(id)
    await queue.register(id)
    return { id, token, stream: queue.streamOf(id), limits }
  }

  async view(id: TenantId): Promise<TenantView> {
    const found = await this.#read(id)
    if (!found) throw new EngineError('tenant-unknown')
    const { queue } = this.#parts
    return { id, state: 'active', limits: found.caller.limits, ...(await queue.depth(id)), stream: queue.streamOf(id) }
  }

  async change(id: TenantId, patch: LimitsPatch): Promise<TenantView> {
    const fields = Object.entries(patch).flatMap(([name, value]) => (value === undefined ? [] : [name, value]))
    if (fields.length === 0) return await this.view(id)
    const found = await this.#parts.library.call('relimit', tenantKeys(id), fields)
    if (found !== 1) throw new EngineError('tenant-unknown')
    this.#letGo(id)
    this.#parts.changed(id, 'limits')
    return await this.view(id)
  }

  async remove(id: TenantId): Promise<void> {
    const { queue } = this.#parts
    const dropped = await queue.drop(id)
    this.#letGo(id)
    this.#parts.changed(id, 'removed')
    if (dropped === null) throw new EngineError('tenant-unknown')
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
    const asking = this.#read(id).finally(() => {
      if (this.#asking.get(id) === asking) this.#asking.delete(id)
    })
    this.#asking.set(id, asking)
    return asking.then((found) => {
      // Let go of meanwhile: this answer may be from before the change.
      if (!found || this.#asking.get(id) !== asking) return found
      if (this.#known.size >= KNOWN_MAX) this.#known.clear()
      this.#known.set(id, found)
      return found
    })
  }

  async #read(id: TenantId): Promise<Known | null> {
    const found = stored.safeParse(await this.#parts.redis.hgetall(tenantKey.ctl(id)))
    if (!found.success) return null
    const { token: digest, state: _, ...limits } = found.data
    const caller = { id, limits, cursors: new Cursors(digest), life: digest }
    return { caller, digest, untilMs: performance.now() + KEPT_MS }
  }

  #letGo(id: TenantId): void {
    this.#known.delete(id)
    this.#asking.delete(id)
  }
}
