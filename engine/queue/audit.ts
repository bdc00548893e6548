// The slow look for what no bell told of: entries that were written straight into a stream, turns and leases that died with
// their worker, runs past their deadline. Reads the registry in pages and `inflight` by score. Refuses to be fast: one
// process at a time audits, at a pace that costs Redis at most 2 % of a core.

import { randomUUID } from 'node:crypto'
import { z } from 'zod'
import { isTenantId, type TenantId } from '../tenant.ts'
import { type SchedulerKeys, tenantKey, tenantKeys } from './keys.ts'
import type { QueueParts } from './queue.ts'

/** Of the ticks of a worker (50 ms): a page each, so the whole registry in 2 s, or 500 tenants a second if it is larger. */
const TICKS_A_ROUND = 40
const PAGE_MAX = 25
const ROLE_MS = 1000
const REAP_EVERY_MS = 250
const REAPED_A_STEP = 32
/** Until another reaper looks at a tenant that this one took and never came back from. */
const LOOK_AGAIN_MS = 1000

const peekReply = z.tuple([z.number(), z.number(), z.number()])
const reapReply = z.tuple([z.number(), z.number(), z.number(), z.coerce.number()])
const dueReply = z.array(z.string())

export class Audit {
  readonly #parts: QueueParts
  readonly #keys: SchedulerKeys
  readonly #charge: (tenant: TenantId, owedMs: number) => void
  readonly #me = randomUUID()
  #mine = false
  #askAt = 0
  #reapAt = 0
  #page = 1
  #from = '-'

  /** @param charge told of slot time beyond what a claim was charged, virtual milliseconds */
  constructor(parts: QueueParts, keys: SchedulerKeys, charge: (tenant: TenantId, owedMs: number) => void) {
    this.#parts = parts
    this.#keys = keys
    this.#charge = charge
  }

  /** The tenants that can run something, as far as this step looked. */
  async step(): Promise<TenantId[]> {
    const now = performance.now()
    const found: TenantId[] = []
    if (now >= this.#reapAt) {
      this.#reapAt = now + REAP_EVERY_MS
      found.push(...(await this.#reapDue()))
    }
    if (now >= this.#askAt) {
      this.#askAt = now + ROLE_MS / 2
      const answer = await this.#parts.library.call('auditor', [this.#keys.auditor], [this.#me, ROLE_MS])
      if (answer === 1 && !this.#mine) this.#from = '-'
      this.#mine = answer === 1
      const registered = await this.#parts.redis.zcard(this.#keys.tenants)
      this.#page = Math.min(PAGE_MAX, Math.max(1, Math.ceil(registered / TICKS_A_ROUND)))
    }
    if (this.#mine) found.push(...(await this.#peekPage()))
    return found
  }

  async #peekPage(): Promise<TenantId[]> {
    const { redis, library } = this.#parts
    const page = await redis.zrangebylex(this.#keys.tenants, this.#from, '+', 'LIMIT', 0, this.#page)
    const last = page.at(-1)
    this.#from = page.length === this.#page && last !== undefined ? `(${last}` : '-'
    const tenants = page.filter(isTenantId)
    const replies = await library.callAll(tenants.map((tenant) => ['peek', tenantKeys(tenant), []]))
    const found: TenantId[] = []
    for (const [at, tenant] of tenants.entries()) {
      const parsed = peekReply.safeParse(replies[at])
      if (!parsed.success) continue
      const [work, overdue, lost] = parsed.data
      if (lost === 1) await this.#reconcile(tenant)
      if (work === 1 || (overdue === 1 && (await this.#reap(tenant)).runnable)) found.push(tenant)
    }
    return found
  }

  async #reap(tenant: TenantId): Promise<{ nextAt: number; runnable: boolean }> {
    const reply = await this.#parts.library.call('reap', tenantKeys(tenant), [tenant, tenantKey.wake(tenant)])
    const [, nextAt, next, owed] = reapReply.parse(reply)
    if (owed !== 0) this.#charge(tenant, owed)
    return { nextAt, runnable: next >= 0 }
  }

  /** Somebody trimmed the stream: runs that wait without an entry end as dead letters. A page a call: Redis has others to serve. */
  async #reconcile(tenant: TenantId): Promise<void> {
    for (let from = 0, next = 1; next > 0; from = next) {
      const args = [tenant, tenantKey.wake(tenant), from]
      next = z.number().parse(await this.#parts.library.call('reconcile', tenantKeys(tenant), args))
    }
  }

  /** Any process may: what it takes is hidden from the others for a second. */
  async #reapDue(): Promise<TenantId[]> {
    const { library } = this.#parts
    const keys = Object.values(this.#keys)
    const due = dueReply.parse(await library.call('due', keys, [REAPED_A_STEP, LOOK_AGAIN_MS]))
    const found: TenantId[] = []
    const rests: (string | number)[] = []
    for (let at = 0; at < due.length; at += 2) {
      const tenant = due[at]
      if (!isTenantId(tenant)) continue
      const { nextAt, runnable } = await this.#reap(tenant)
      rests.push(tenant, due[at + 1] ?? '', nextAt)
      if (runnable) found.push(tenant)
    }
    if (rests.length > 0) await library.call('rest', keys, rests)
    return found
  }
}
