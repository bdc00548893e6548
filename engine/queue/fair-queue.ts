// The queue: one stream a tenant, fair turns between ready tenants, caps at the claim. Choosing a tenant and taking its
// work are two calls, joined by a lease, since no script may touch two slots. Refuses to hold work: all state is in Redis.

import type { TenantId } from '../tenant.ts'
import { isTenantId } from '../tenant.ts'
import type { Outcome } from '../workflow.ts'
import { Audit } from './audit.ts'
import { tenantKeys, voidChannel } from './keys.ts'
import type { Claim, Queue, QueueParts } from './queue.ts'
import { Rounds } from './rounds.ts'
import { TenantQueue } from './tenant-queue.ts'
import { type Settlement, type TurnRequest, type TurnResult, turnCall, turnResult } from './turns.ts'

const TENANTS_A_ROUND = 8
/** What was kept back to travel with the next round is told by itself after this. */
const KEPT_BACK_MS = 2
const BELL_TIMEOUT_S = 2
const BELL_KEPT = 10_000
const AGAIN_MS = 200
const SETTLED_A_CALL = 500
/** Timers take no more than 2^31 ms; a longer wait is looked at again after this. */
const PARKED_MS_MAX = 60_000

export class FairQueue extends TenantQueue implements Queue {
  readonly #rounds: Rounds
  readonly #audit: Audit
  /** Outcomes to be told, by tenant. */
  #settlements = new Map<TenantId, Settlement[]>()
  /** Tenants that were at their cap: when one of their runs ends, they can run the next. */
  readonly #atCap = new Set<TenantId>()
  /** What a turn has brought lately: short runs come in few large turns, long ones in many small ones. */
  #runsATurn = 1
  /** Whether the last round left tenants waiting. */
  #waiting = false
  #wake: () => boolean = () => false
  #void: (tenant: TenantId, fence: string | null) => void = () => {}
  #keptBack: NodeJS.Timeout | null = null
  #parked: NodeJS.Timeout | null = null
  /** When it goes off, by this process' clock; a tenant that is due sooner replaces it. */
  #parkedDueMs = 0
  #listening = false
  #closed = false

  constructor(parts: QueueParts) {
    super(parts)
    this.#rounds = new Rounds(parts.library, this.keys, parts.leaseMs)
    this.#audit = new Audit(parts, this.keys, (tenant, owedMs) => this.charge(tenant, owedMs))
  }

  onWork(wake: () => boolean): void {
    this.#wake = wake
    this.#listen()
  }

  onVoid(tell: (tenant: TenantId, fence: string | null) => void): void {
    const { subscriber, namespace } = this.parts
    const channel = voidChannel(namespace)
    this.#void = tell
    subscriber.on('message', (from: string, text: string) => {
      const [tenant, fence] = text.split(' ')
      if (from !== channel || !isTenantId(tenant)) return
      if (fence === '*') this.forget(tenant)
      this.#void(tenant, fence === '*' ? null : (fence ?? null))
    })
    // A cancellation that is not heard is found out by the next renewal.
    subscriber.subscribe(channel).catch(() => {})
  }

  /** Work that this process can take needs no bell; other processes are woken by one. */
  touch(tenant: TenantId): void {
    if (this.#wake()) {
      this.#rounds.note(tenant)
      return
    }
    const { redis } = this.parts
    redis
      .rpush(this.keys.bell, tenant)
      .then((rung) => (rung > BELL_KEPT ? redis.ltrim(this.keys.bell, -BELL_KEPT, -1) : null))
      // A bell that was not rung is made good by the audit.
      .catch(() => {})
  }

  protected charge(tenant: TenantId, owedMs: number): void {
    this.#rounds.correct(tenant, owedMs, -1)
    this.touch(tenant)
  }

  protected forget(tenant: TenantId): void {
    this.#rounds.forget(tenant)
    this.#atCap.delete(tenant)
  }

  #listen(): void {
    const { bell, passed } = this.parts
    if (bell === null || this.#listening || this.#closed) return
    this.#listening = true
    bell.blpop(this.keys.bell, BELL_TIMEOUT_S).then(
      (rung) => {
        this.#listening = false
        if (rung === null) return this.#listen()
        passed?.('after-bell')
        if (isTenantId(rung[1])) this.#rounds.note(rung[1])
        this.#waiting = true
        // Without a free slot the round is made all the same: it hands the ring on. `next` listens again.
        if (!this.#wake()) void this.settle().catch(() => {})
      },
      () => {
        this.#listening = false
        if (!this.#closed) setTimeout(() => this.#listen(), AGAIN_MS)
      },
    )
  }

  async next(free: number): Promise<{ claims: Claim[]; again: boolean; others?: boolean }> {
    let others = false
    for (const tenant of this.#settlements.keys()) if (this.#atCap.delete(tenant)) this.#rounds.note(tenant)
    const requests: TurnRequest[] = []
    if (this.#waiting || this.#rounds.hasDirty) {
      const turns = Math.min(Math.ceil(free / this.#runsATurn), TENANTS_A_ROUND)
      const { left, waitMs, picked } = await this.#rounds.round(turns)
      others = left > 0
      this.#waiting = others || this.#rounds.hasMore
      this.#wakeIn(waitMs)
      if (picked.length > 0) this.parts.passed?.('after-pick')
      const want = Math.max(1, Math.floor(free / Math.max(1, picked.length)))
      const alone = left === 0 && picked.length === 1
      for (const { tenant, tag } of picked) {
        requests.push({ tenant, want, alone, tag, settlements: this.#take(tenant) })
      }
    }
    for (const tenant of [...this.#settlements.keys()]) {
      requests.push({ tenant, want: 0, alone: false, tag: null, settlements: this.#take(tenant) })
    }
    const claims = await this.#turns(requests)
    if (claims.length > 0) this.parts.passed?.('after-claim')
    const again = this.#waiting || this.#rounds.hasDirty
    // With all slots taken the next round may be long in coming.
    if (!again || claims.length >= free) this.#keepBack()
    if (!again) this.#listen()
    return { claims, again, others }
  }

  /** At most as many as one call takes; the others stay for the next. */
  #take(tenant: TenantId): Settlement[] {
    const settlements = this.#settlements.get(tenant) ?? []
    if (settlements.length > SETTLED_A_CALL) return settlements.splice(0, SETTLED_A_CALL)
    this.#settlements.delete(tenant)
    return settlements
  }

  async #turns(requests: readonly TurnRequest[]): Promise<Claim[]> {
    if (requests.length === 0) return []
    if (requests.some(({ settlements }) => settlements.length > 0)) this.parts.passed?.('before-complete')
    const askedAtMs = performance.now()
    const replies = await this.parts.library.callAll(requests.map((request) => turnCall(request, this.parts)))
    const claims: Claim[] = []
    let failure: unknown = null
    for (const [at, request] of requests.entries()) {
      const raw = replies[at]
      if (raw instanceof Error || raw === undefined) {
        failure = raw
        this.#failed(request, raw)
      } else {
        const result = turnResult(request, raw, askedAtMs)
        this.#ended(request, result)
        claims.push(...result.claims)
      }
    }
    if (failure !== null && claims.length === 0) throw failure
    return claims
  }

  #ended(
    { tenant, tag, want, settlements }: TurnRequest,
    { state, next, charge, correction, counted, claims }: TurnResult,
  ): void {
    for (const [at, { told }] of settlements.entries()) told(counted[at] ?? false)
    const base = settlements.reduce((most, { claim }) => Math.max(most, claim.tag), 0)
    if (settlements.length > 0 && state !== 'gone') this.#rounds.correct(tenant, correction, base)
    if (next === -2) this.#atCap.add(tenant)
    if (tag !== null) {
      // As many as were wanted: more would have come.
      const could = claims.length === want ? 2 * want : claims.length
      this.#runsATurn = Math.max(1, this.#runsATurn + (could - this.#runsATurn) / 8)
      const end = state === 'gone' ? 'gone' : next > 0 ? next : next === 0 ? 'more' : 'none'
      this.#rounds.end(tenant, end, charge)
      if (end === 'more') this.#waiting = true
      if (claims.length === 0 && end !== 'more') this.#atCap.delete(tenant)
    } else if (next >= 0) {
      // Only a turn that was picked can be parked: a time to come is heard by the next one.
      this.#rounds.note(tenant)
    }
  }

  /** What became of the call is not known: the outcomes are told again, the tenant gets another turn. */
  #failed({ tenant, tag, settlements }: TurnRequest, error: unknown): void {
    for (const { failed } of settlements) failed(error)
    if (tag === null) return
    this.#rounds.end(tenant, 'more', 0)
    this.#waiting = true
  }

  complete(claim: Claim, outcome: Outcome): Promise<boolean> {
    const waiting = this.#settlements.get(claim.tenant)
    const { promise, resolve, reject } = Promise.withResolvers<boolean>()
    const settlement = { claim, outcome, told: resolve, failed: reject }
    if (waiting) waiting.push(settlement)
    else this.#settlements.set(claim.tenant, [settlement])
    this.#keepBack()
    return promise
  }

  get #keeping(): boolean {
    return this.#rounds.hasEnds || this.#rounds.hasDirty || this.#settlements.size > 0
  }

  /** One timer for all that would travel with the next round, if there were one. */
  #keepBack(): void {
    if (this.#keptBack !== null || !this.#keeping) return
    this.#keptBack = setTimeout(() => {
      this.#keptBack = null
      this.settle().catch(() => this.#keepBack())
    }, KEPT_BACK_MS)
  }

  #wakeIn(waitMs: number | null): void {
    if (waitMs === null) return
    const inMs = Math.min(waitMs, PARKED_MS_MAX) + 1
    const dueMs = performance.now() + inMs
    if (this.#parked !== null) {
      if (this.#parkedDueMs <= dueMs) return
      clearTimeout(this.#parked)
    }
    this.#parkedDueMs = dueMs
    this.#parked = setTimeout(() => {
      this.#parked = null
      this.#waiting = true
      this.#wake()
    }, inMs)
  }

  async settle(): Promise<void> {
    await this.#turns(
      [...this.#settlements.keys()].map((tenant) => {
        return { tenant, want: 0, alone: false, tag: null, settlements: this.#take(tenant) }
      }),
    )
    if (!this.#rounds.hasEnds && !this.#rounds.hasDirty && !this.#waiting) return
    const { left, waitMs } = await this.#rounds.round(0)
    this.#wakeIn(waitMs)
    this.#waiting = left > 0
    if (left > 0) this.#wake()
  }

  async renew(claims: readonly Claim[]): Promise<Claim[]> {
    const { library, leaseMs } = this.parts
    const byTenant = Map.groupBy(claims, ({ tenant }) => tenant)
    const lost = await Promise.all(
      [...byTenant].map(async ([tenant, own]) => {
        const args = [leaseMs, ...own.map(({ fence }) => fence)]
        const fences = (await library.call('renew', tenantKeys(tenant), args)) as string[]
        const gone = new Set(fences)
        return own.filter(({ fence }) => gone.has(fence))
      }),
    )
    return lost.flat()
  }

  async audit(): Promise<void> {
    const found = await this.#audit.step()
    for (const tenant of found) this.#rounds.note(tenant)
    if (found.length > 0 && !this.#wake()) await this.settle()
  }

  async close(): Promise<void> {
    this.#closed = true
    if (this.#keptBack) clearTimeout(this.#keptBack)
    if (this.#parked) clearTimeout(this.#parked)
    this.parts.bell?.disconnect()
  }
}
