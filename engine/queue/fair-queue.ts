// The queue: one stream a tenant, turns between ready tenants, caps at the claim. Choosing a tenant and taking its work
// are two calls, joined by a lease, since no script may touch two slots. Refuses to hold work: all state is in Redis.

import { z } from 'zod'
import { isTenantId, type TenantId } from '../tenant.ts'
import type { Outcome } from '../workflow.ts'
import { schedulerKeys, tenantKey, tenantKeys } from './keys.ts'
import type { Admission, Claim, Depth, Queue, QueueParts } from './queue.ts'

/** Runs and looked-at entries of one turn: what a tenant can take before the next one has its turn. */
const RUNS_A_TURN = 4
const ENTRIES_A_TURN = 100
const TENANTS_A_ROUND = 8
const AUDITED_A_TICK = 50
/** A worker that dies in mid-turn blocks its tenant for this long. */
const LEASE_MS = 5000

const admitReply = z.tuple([z.string(), z.union([z.string(), z.number()])])
const claimedRun = z.tuple([z.string(), z.string(), z.string(), z.string()])
const claimReply = z.tuple([z.number(), z.number(), z.number()]).rest(claimedRun)
const schedReply = z.tuple([z.number()]).rest(z.string())
const completeReply = z.tuple([z.number(), z.string(), z.number()])
const peekReply = z.tuple([z.number(), z.number()])

export function outcomeField(outcome: Outcome): string {
  if (outcome.status === 'done') return `"output":${JSON.stringify(outcome.output) ?? 'null'}`
  return `"error":${JSON.stringify(outcome.error)}`
}

export class FairQueue implements Queue {
  readonly #parts: QueueParts
  readonly #keys: ReturnType<typeof schedulerKeys>
  /** Tenants that got work, and turns taken: both told to Redis with the next round. */
  readonly #dirty = new Set<TenantId>()
  readonly #settles = new Map<TenantId, '0' | '1'>()
  /** Whether the last round left tenants waiting, or one has more than its turn allowed. */
  #waiting = false
  #wake: () => void = () => {}
  #auditFrom = '-'

  constructor(parts: QueueParts) {
    this.#parts = parts
    this.#keys = schedulerKeys(parts.namespace)
  }

  streamOf = (tenant: TenantId): string => tenantKey.events(tenant)

  onWork(wake: () => void): void {
    this.#wake = wake
  }

  #touch(tenant: TenantId): void {
    this.#dirty.add(tenant)
    this.#wake()
  }

  async admit(tenant: TenantId, workflow: string, inputText: string): Promise<Admission> {
    const args = [tenant, workflow, inputText, this.#parts.windowMs]
    const [code, detail] = admitReply.parse(await this.#parts.library.call('admit', tenantKeys(tenant), args))
    if (code === 'ok') {
      this.#touch(tenant)
      return { state: 'admitted', entryId: String(detail) }
    }
    if (code === 'rate-limited' || code === 'queue-full')
      return { state: 'refused', code, retryAfterMs: Number(detail) }
    if (code === 'tenant-unknown' || code === 'workflow-unknown') return { state: 'unknown', code }
    throw new Error(`admit answered ${code}`)
  }

  async next(free: number): Promise<{ claims: Claim[]; again: boolean }> {
    if (this.#dirty.size === 0 && !this.#waiting) return { claims: [], again: false }
    const { left, tenants } = await this.#takeTurns(Math.min(free, TENANTS_A_ROUND))
    this.#waiting = left > 0
    const want = Math.max(1, Math.min(RUNS_A_TURN, Math.floor(free / Math.max(1, tenants.length))))
    const taken = await Promise.allSettled(tenants.map((tenant) => this.#claim(tenant, want)))
    const claims: Claim[] = []
    for (const [at, result] of taken.entries()) {
      const tenant = tenants[at]
      if (tenant === undefined) continue
      const more = result.status === 'rejected' || result.value.more
      this.#settles.set(tenant, more ? '1' : '0')
      if (more) this.#waiting = true
      if (result.status === 'fulfilled') claims.push(...result.value.claims)
    }
    const failed = taken.find((result) => result.status === 'rejected')
    if (failed && claims.length === 0) throw failed.reason
    return { claims, again: this.#waiting || this.#dirty.size > 0 }
  }

  async #takeTurns(turns: number): Promise<{ left: number; tenants: TenantId[] }> {
    const dirty = [...this.#dirty]
    const settles = [...this.#settles]
    this.#dirty.clear()
    this.#settles.clear()
    const { ready, lease, dirty: noted, turn } = this.#keys
    const args = [turns, LEASE_MS, settles.length, ...settles.flat(), ...dirty]
    try {
      const reply = await this.#parts.library.call('sched', [ready, lease, noted, turn], args)
      const [left, ...tenants] = schedReply.parse(reply)
      return { left, tenants: tenants.filter(isTenantId) }
    } catch (error) {
      // Nothing may be forgotten: what could not be told now is told with the next round.
      for (const tenant of dirty) this.#dirty.add(tenant)
      for (const [tenant, more] of settles) if (!this.#settles.has(tenant)) this.#settles.set(tenant, more)
      throw error
    }
  }

  async #claim(tenant: TenantId, want: number): Promise<{ claims: Claim[]; more: boolean }> {
    const args = [tenant, want, ENTRIES_A_TURN, this.#parts.windowMs]
    const reply = await this.#parts.library.call('claim', tenantKeys(tenant), args)
    const [more, maxRunMs, , ...runs] = claimReply.parse(reply)
    const claims = runs.map(([entryId, workflow, definition, inputText]) => {
      return { tenant, entryId, attempt: 1, workflow, definition, inputText, maxRunMs }
    })
    return { claims, more: more === 1 }
  }

  async complete(claim: Claim, outcome: Outcome): Promise<boolean> {
    const { tenant, entryId, attempt } = claim
    const args = [tenant, entryId, attempt, outcome.status, outcomeField(outcome), tenantKey.wake(tenant)]
    const reply = await this.#parts.library.call('complete', tenantKeys(tenant), args)
    const [counted, , more] = completeReply.parse(reply)
    if (more === 1) this.#touch(tenant)
    return counted === 1
  }

  /** Rotates over the registered tenants: entries written straight into a stream ring no bell. */
  async audit(): Promise<void> {
    const { redis, library } = this.#parts
    const page = await redis.zrangebylex(this.#keys.tenants, this.#auditFrom, '+', 'LIMIT', 0, AUDITED_A_TICK)
    const last = page.at(-1)
    this.#auditFrom = page.length === AUDITED_A_TICK && last !== undefined ? `(${last}` : '-'
    await Promise.all(
      page.filter(isTenantId).map(async (tenant) => {
        const [work, overdue] = peekReply.parse(await library.call('peek', tenantKeys(tenant), []))
        if (overdue === 1) await library.call('reap', tenantKeys(tenant), [tenant, tenantKey.wake(tenant)])
        if (work === 1 || overdue === 1) this.#touch(tenant)
      }),
    )
    // Turns that ended without more work were kept back to travel with the next round; other workers wait for them.
    if (this.#settles.size > 0) await this.settle()
  }

  async depth(tenant: TenantId): Promise<Depth> {
    const { redis } = this.#parts
    const [entries, active] = await Promise.all([
      redis.xlen(tenantKey.events(tenant)),
      redis.zcard(tenantKey.active(tenant)),
    ])
    return { queued: Math.max(0, entries - active), active }
  }

  async register(tenant: TenantId): Promise<void> {
    await this.#parts.redis.zadd(this.#keys.tenants, 0, tenant)
  }

  async forget(tenant: TenantId): Promise<void> {
    const { redis } = this.#parts
    this.#dirty.delete(tenant)
    this.#settles.delete(tenant)
    await Promise.all([
      redis.zrem(this.#keys.tenants, tenant),
      redis.zrem(this.#keys.ready, tenant),
      redis.zrem(this.#keys.lease, tenant),
      redis.srem(this.#keys.dirty, tenant),
    ])
  }

  async settle(): Promise<void> {
    const { left } = await this.#takeTurns(0)
    if (left === 0) return
    this.#waiting = true
    this.#wake()
  }

  async unlinkOwn(): Promise<void> {
    await this.#parts.redis.unlink(...Object.values(this.#keys))
  }
}
