// Seeded defect: the naive design. All tenants in one stream, first in, first out, no caps and no turns; the tenant is a
// field of the entry. Counts a trip for every entry that was run while an admitted run of another tenant was waiting.
// The rate limit of the API stays: only what happens behind it is broken.

import { z } from 'zod'
import type { EngineParts } from '../index.ts'
import { outcomeField } from '../queue/fair-queue.ts'
import { CONSUMER_GROUP, schedulerKeys, tenantKey, tenantKeys } from '../queue/keys.ts'
import type { Admission, Claim, Depth, Queue, QueueParts } from '../queue/queue.ts'
import { isTenantId, type TenantId } from '../tenant.ts'
import { isWorkflowName, type Outcome, parseInput } from '../workflow.ts'
import type { Trips } from './trips.ts'

type Entry = [id: string, fields: string[]]
const batchReply = z.array(z.tuple([z.string(), z.array(z.tuple([z.string(), z.array(z.string())]))])).nullable()

/** The entry in the shared stream that a claim came from. */
type SharedClaim = Claim & { sharedId: string }
const isShared = (claim: Claim): claim is SharedClaim => 'sharedId' in claim

class SharedQueue implements Queue {
  readonly #parts: QueueParts
  readonly #trips: Trips
  readonly #stream: string
  readonly #group: Promise<unknown>
  /** Admitted and not yet claimed, per tenant: only for the count of trips. */
  readonly #waiting = new Map<TenantId, number>()
  #mayHave = true
  #wake: () => void = () => {}

  constructor(parts: QueueParts, trips: Trips) {
    this.#parts = parts
    this.#trips = trips
    this.#stream = `shared:{${parts.namespace}}:workflow:events`
    this.#group = parts.redis
      .xgroup('CREATE', this.#stream, CONSUMER_GROUP, '0', 'MKSTREAM')
      .catch((error: unknown) => {
        if (!String(error).includes('BUSYGROUP')) throw error
      })
  }

  streamOf = (): string => this.#stream

  onWork(wake: () => void): void {
    this.#wake = wake
  }

  /** Admitted as in the sound engine, then moved into the stream that all share. */
  async admit(tenant: TenantId, workflow: string, inputText: string): Promise<Admission> {
    const { library, redis, windowMs } = this.#parts
    const reply = await library.call('admit', tenantKeys(tenant), [tenant, workflow, inputText, windowMs])
    const [code, detail] = z.tuple([z.string(), z.union([z.string(), z.number()])]).parse(reply)
    if (code === 'rate-limited' || code === 'queue-full')
      return { state: 'refused', code, retryAfterMs: Number(detail) }
    if (code !== 'ok') return { state: 'unknown', code: code === 'workflow-unknown' ? code : 'tenant-unknown' }
    const entryId = String(detail)
    this.#waiting.set(tenant, (this.#waiting.get(tenant) ?? 0) + 1)
    const fields = ['tenant', tenant, 'workflow', workflow, 'input', inputText, 'run', entryId]
    await Promise.all([redis.xadd(this.#stream, '*', ...fields), redis.xdel(tenantKey.events(tenant), entryId)])
    this.#mayHave = true
    this.#wake()
    return { state: 'admitted', entryId }
  }

  async next(free: number): Promise<{ claims: Claim[]; again: boolean }> {
    if (!this.#mayHave) return { claims: [], again: false }
    this.#mayHave = false
    await this.#group
    const { redis } = this.#parts
    const reply = await redis.xreadgroup('GROUP', CONSUMER_GROUP, 'w', 'COUNT', free, 'STREAMS', this.#stream, '>')
    const entries = batchReply.parse(reply)?.[0]?.[1] ?? []
    const claims = (await Promise.all(entries.map((entry) => this.#open(entry)))).filter((claim) => claim !== null)
    for (const claim of claims) this.#countTrip(claim.tenant)
    if (entries.length === free) this.#mayHave = true
    return { claims, again: this.#mayHave }
  }

  #countTrip(tenant: TenantId): void {
    const passedOver = [...this.#waiting].some(([other, waiting]) => other !== tenant && waiting > 0)
    if (passedOver) this.#trips.count()
  }

  async #open([sharedId, flat]: Entry): Promise<SharedClaim | null> {
    const { redis } = this.#parts
    const fields = new Map<string, string>()
    for (let at = 0; at < flat.length; at += 2) fields.set(flat[at] ?? '', flat[at + 1] ?? '')
    const tenant = fields.get('tenant')
    const workflow = fields.get('workflow')
    const inputText = fields.get('input') ?? 'null'
    const run = fields.get('run')
    const sound = isTenantId(tenant) && isWorkflowName(workflow) && parseInput(inputText) !== null
    const [definition, maxRun] = sound
      ? await Promise.all([
          redis.hget(tenantKey.workflows(tenant), workflow),
          redis.hget(tenantKey.ctl(tenant), 'maxRunMs'),
        ])
      : [null, null]
    if (run !== undefined && isTenantId(tenant)) this.#waiting.set(tenant, (this.#waiting.get(tenant) ?? 1) - 1)
    if (!sound || definition === null || maxRun === null) {
      await this.#remove(sharedId)
      return null
    }
    const maxRunMs = Number(maxRun)
    const claim = { tenant, entryId: run ?? sharedId, attempt: 1, workflow, definition, inputText, maxRunMs, sharedId }
    await this.#begin(claim, run === undefined)
    return claim
  }

  async #begin({ tenant, entryId, attempt, workflow, inputText, maxRunMs }: Claim, direct: boolean): Promise<void> {
    const { redis } = this.#parts
    const now = Date.now()
    const runs = tenantKey.runs(tenant)
    const lasting = { workflow, source: 'stream', queuedAt: now, inputText }
    const record = direct ? null : await redis.hget(runs, entryId)
    const tail = record === null ? JSON.stringify(lasting) : record.slice(record.indexOf('\n') + 1)
    await Promise.all([
      redis.hset(runs, entryId, `${JSON.stringify({ status: 'running', startedAt: now })}\n${tail}`),
      redis.zadd(tenantKey.active(tenant), now + maxRunMs, `${entryId}/${attempt}`),
      redis.zadd(tenantKey.index(tenant), 'NX', now, entryId),
    ])
  }

  async #remove(sharedId: string): Promise<void> {
    const { redis } = this.#parts
    await Promise.all([redis.xack(this.#stream, CONSUMER_GROUP, sharedId), redis.xdel(this.#stream, sharedId)])
  }

  async complete(claim: Claim, outcome: Outcome): Promise<boolean> {
    const { tenant, entryId, attempt } = claim
    const args = [tenant, entryId, attempt, outcome.status, outcomeField(outcome), tenantKey.wake(tenant)]
    const [reply] = await Promise.all([
      this.#parts.library.call('complete', tenantKeys(tenant), args),
      isShared(claim) ? this.#remove(claim.sharedId) : null,
    ])
    return z.tuple([z.number(), z.string(), z.number()]).parse(reply)[0] === 1
  }

  async audit(): Promise<void> {
    this.#mayHave = true
    this.#wake()
  }

  /** What stands in the stream stands before every new run, whoever wrote it. */
  async depth(tenant: TenantId): Promise<Depth> {
    const { redis } = this.#parts
    const [entries, active] = await Promise.all([redis.xlen(this.#stream), redis.zcard(tenantKey.active(tenant))])
    return { queued: Math.max(0, entries - active), active }
  }

  async register(tenant: TenantId): Promise<void> {
    await this.#parts.redis.zadd(schedulerKeys(this.#parts.namespace).tenants, 0, tenant)
  }

  async forget(tenant: TenantId): Promise<void> {
    this.#waiting.delete(tenant)
    await this.#parts.redis.zrem(schedulerKeys(this.#parts.namespace).tenants, tenant)
  }

  async settle(): Promise<void> {}

  async unlinkOwn(): Promise<void> {
    await this.#parts.redis.unlink(this.#stream, ...Object.values(schedulerKeys(this.#parts.namespace)))
  }
}

export const sharedFifo = (trips: Trips): EngineParts => ({ queue: (parts) => new SharedQueue(parts, trips) })
