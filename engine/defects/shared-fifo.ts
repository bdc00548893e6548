// Seeded defect: the naive design. All tenants in one stream, first in, first out, no caps and no turns; the tenant is a
// field of the entry. Counts a trip for every entry that was run while an admitted run of another tenant was waiting.
// The rate limit of the API stays: only what happens behind it is broken.

import { z } from 'zod'
import type { EngineParts } from '../index.ts'
import { CONSUMER_GROUP, tenantKey } from '../queue/keys.ts'
import type { Admission, Claim, Depth, Queue, QueueParts } from '../queue/queue.ts'
import { TenantQueue } from '../queue/tenant-queue.ts'
import { turnCall, turnResult } from '../queue/turns.ts'
import { isTenantId, type TenantId } from '../tenant.ts'
import { isWorkflowName, type Outcome, parseInput } from '../workflow.ts'
import type { Trips } from './trips.ts'

type Entry = [id: string, fields: string[]]
const batchReply = z.array(z.tuple([z.string(), z.array(z.tuple([z.string(), z.array(z.string())]))])).nullable()

/** The entry in the shared stream that a claim came from. */
type SharedClaim = Claim & { sharedId: string }
const isShared = (claim: Claim): claim is SharedClaim => 'sharedId' in claim

class SharedQueue extends TenantQueue implements Queue {
  readonly #trips: Trips
  readonly #stream: string
  readonly #group: Promise<unknown>
  /** Admitted and not yet claimed, per tenant: only for the count of trips. */
  readonly #waiting = new Map<TenantId, number>()
  #mayHave = true
  #wake: () => boolean = () => false

  constructor(parts: QueueParts, trips: Trips) {
    super(parts)
    this.#trips = trips
    this.#stream = `shared:{${parts.namespace}}:workflow:events`
    this.#group = parts.redis
      .xgroup('CREATE', this.#stream, CONSUMER_GROUP, '0', 'MKSTREAM')
      .catch((error: unknown) => {
        if (!String(error).includes('BUSYGROUP')) throw error
      })
  }

  override streamOf = (): string => this.#stream

  onWork(wake: () => boolean): void {
    this.#wake = wake
  }

  onVoid(): void {}

  touch(): void {
    this.#mayHave = true
    this.#wake()
  }

  protected charge(): void {}

  protected forget(): void {}

  /** Admitted as in the sound engine, then moved into the stream that all share. */
  override async admit(tenant: TenantId, workflow: string, inputText: string, key = ''): Promise<Admission> {
    const admission = await super.admit(tenant, workflow, inputText, key)
    if (admission.state !== 'admitted' || admission.repeated) return admission
    const { entryId } = admission
    const { redis } = this.parts
    this.#waiting.set(tenant, (this.#waiting.get(tenant) ?? 0) + 1)
    const fields = ['tenant', tenant, 'workflow', workflow, 'input', inputText, 'run', entryId]
    await Promise.all([redis.xadd(this.#stream, '*', ...fields), redis.xdel(tenantKey.events(tenant), entryId)])
    this.touch()
    return admission
  }

  async next(free: number): Promise<{ claims: Claim[]; again: boolean }> {
    if (!this.#mayHave) return { claims: [], again: false }
    this.#mayHave = false
    await this.#group
    const { redis } = this.parts
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
    const { redis } = this.parts
    const fields = new Map<string, string>()
    for (let at = 0; at < flat.length; at += 2) fields.set(flat[at] ?? '', flat[at + 1] ?? '')
    const tenant = fields.get('tenant')
    const workflow = fields.get('workflow')
    const inputText = fields.get('input') ?? 'null'
    const run = fields.get('run')
    const sound = isTenantId(tenant) && isWorkflowName(workflow) && parseInput(inputText) !== null
    const [definition, ctl] = sound
      ? await Promise.all([
          redis.hget(tenantKey.workflows(tenant), workflow),
          redis.hmget(tenantKey.ctl(tenant), 'maxRunMs', 'epoch'),
        ])
      : [null, null]
    if (run !== undefined && isTenantId(tenant)) this.#waiting.set(tenant, (this.#waiting.get(tenant) ?? 1) - 1)
    const [maxRun, epoch] = ctl ?? []
    if (!sound || definition === null || !maxRun) {
      await this.#remove(sharedId)
      return null
    }
    const entryId = run ?? sharedId
    const fence = `${entryId}/1/${epoch}`
    const maxRunMs = Number(maxRun)
    const rest = { attempt: 1, fence, tag: 0, askedAtMs: performance.now() }
    const claim = { tenant, entryId, workflow, definition, inputText, maxRunMs, sharedId, ...rest }
    await this.#begin(claim, run === undefined)
    return claim
  }

  async #begin({ tenant, entryId, fence, workflow, inputText, maxRunMs }: Claim, direct: boolean): Promise<void> {
    const { redis } = this.parts
    const now = Date.now()
    const runs = tenantKey.runs(tenant)
    const record = direct ? null : await redis.hget(runs, entryId)
    const lasting =
      record === null
        ? `{"workflow":"${workflow}","source":"stream","queuedAt":${now}`
        : record.slice(0, record.indexOf(',"status":'))
    const times = `"startedAt":${now},"deadline":${now + maxRunMs},"estimate":0`
    await Promise.all([
      redis.hset(runs, entryId, `${lasting},"status":"running","attempt":1,${times}}`),
      redis.hset(tenantKey.inputs(tenant), entryId, inputText),
      redis.zadd(tenantKey.active(tenant), now + maxRunMs, fence),
      redis.zadd(tenantKey.index(tenant), 'NX', now, entryId),
    ])
  }

  async #remove(sharedId: string): Promise<void> {
    const { redis } = this.parts
    await Promise.all([redis.xack(this.#stream, CONSUMER_GROUP, sharedId), redis.xdel(this.#stream, sharedId)])
  }

  async complete(claim: Claim, outcome: Outcome): Promise<boolean> {
    const settlements = [{ claim, outcome, told() {}, failed() {} }]
    const request = { tenant: claim.tenant, want: 0, alone: false, tag: null, settlements }
    const [reply] = await Promise.all([
      this.parts.library.call(...turnCall(request, this.parts)),
      isShared(claim) ? this.#remove(claim.sharedId) : null,
    ])
    return turnResult(request, reply, 0).counted[0] ?? false
  }

  async renew(): Promise<Claim[]> {
    return []
  }

  async audit(): Promise<void> {
    this.touch()
  }

  /** What stands in the stream stands before every new run, whoever wrote it. */
  override async depth(tenant: TenantId): Promise<Depth> {
    const { redis } = this.parts
    const [entries, active] = await Promise.all([redis.xlen(this.#stream), redis.zcard(tenantKey.active(tenant))])
    return { queued: Math.max(0, entries - active), active }
  }

  async settle(): Promise<void> {}

  async close(): Promise<void> {
    this.parts.bell?.disconnect()
  }

  override async unlinkOwn(): Promise<void> {
    await super.unlinkOwn()
    await this.parts.redis.unlink(this.#stream)
  }
}

export const sharedFifo = (trips: Trips): EngineParts => ({ queue: (parts) => new SharedQueue(parts, trips) })
