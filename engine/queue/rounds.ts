// What one process has to tell the scheduler, and one round of asking it: settled turns, corrections, tenants with work,
// and the next ones picked. Refuses to lose any of it: what could not be told is told with the next round.

import { z } from 'zod'
import { isTenantId, type TenantId } from '../tenant.ts'
import type { schedulerKeys } from './keys.ts'
import type { FunctionLibrary } from './library.ts'

/** A worker that dies in mid-turn keeps its tenant out of the turns for this long. */
const TURN_LEASE_MS_MAX = 2000
/** Slot time that one turn may take, or one run, while others wait: short, so that turns alternate. */
export const TURN_MS = 40
/** Half of it, or one mean turn if that is more, is what a newcomer starts before virtual time. */
const QUANTUM_MS = 200
/** Smaller corrections are kept until they are worth telling: virtual milliseconds. */
const CORRECTION_MIN_MS = 5
const CORRECTIONS_KEPT = 10_000

const reply = z.tuple([z.number(), z.number()]).rest(z.string())

/** `more`: has its next turn; `none`: waits for a bell; a number: waits until then, milliseconds on Redis' clock. */
export type TurnEnd = 'more' | 'none' | 'gone' | number

export interface Round {
  /** Tenants that are ready and were not picked. */
  left: number
  /** Milliseconds until a tenant that waits for a time can run; null when there is none. */
  waitMs: number | null
  picked: { tenant: TenantId; tag: number }[]
}

export class Rounds {
  readonly #library: FunctionLibrary
  readonly #keys: string[]
  readonly #leaseMs: number
  readonly #dirty = new Set<TenantId>()
  readonly #ends = new Map<TenantId, { end: TurnEnd; charge: number }>()
  readonly #corrections = new Map<TenantId, { delta: number; base: number }>()

  constructor(library: FunctionLibrary, keys: ReturnType<typeof schedulerKeys>, leaseMs: number) {
    this.#library = library
    this.#keys = Object.values(keys)
    this.#leaseMs = leaseMs
  }

  get hasDirty(): boolean {
    return this.#dirty.size > 0
  }

  get hasEnds(): boolean {
    return this.#ends.size > 0
  }

  /** A turn that is over has left something to run, and the scheduler has not heard of it. */
  get hasMore(): boolean {
    for (const { end } of this.#ends.values()) if (end === 'more') return true
    return false
  }

  note(tenant: TenantId): void {
    this.#dirty.add(tenant)
  }

  end(tenant: TenantId, end: TurnEnd, charge: number): void {
    this.#ends.set(tenant, { end, charge })
  }

  /** `base`: the tag that the runs were claimed under, charge included; -1 when it is not known. */
  correct(tenant: TenantId, delta: number, base: number): void {
    const known = this.#corrections.get(tenant)
    this.#corrections.set(tenant, { delta: delta + (known?.delta ?? 0), base: Math.max(base, known?.base ?? base) })
  }

  /** A turn of it that is over has to be told all the same: its lease may have been taken after the removal. */
  forget(tenant: TenantId): void {
    this.#dirty.delete(tenant)
    if (this.#ends.has(tenant)) this.#ends.set(tenant, { end: 'gone', charge: 0 })
    this.#corrections.delete(tenant)
  }

  async round(turns: number): Promise<Round> {
    const dirty = [...this.#dirty]
    const ends = [...this.#ends]
    const corrections = [...this.#corrections].filter(([, { delta }]) => Math.abs(delta) >= CORRECTION_MIN_MS)
    this.#dirty.clear()
    this.#ends.clear()
    if (this.#corrections.size > CORRECTIONS_KEPT) this.#corrections.clear()
    else for (const [tenant] of corrections) this.#corrections.delete(tenant)
    const args = [
      turns,
      // Recovery takes the lease of a run at most, whatever its worker was about when it died.
      Math.min(TURN_LEASE_MS_MAX, this.#leaseMs),
      this.#leaseMs,
      QUANTUM_MS,
      ends.length,
      ...ends.flatMap(([tenant, { end, charge }]) => [tenant, end, charge]),
      corrections.length,
      ...corrections.flatMap(([tenant, { delta, base }]) => [tenant, delta, base]),
      ...dirty,
    ]
    try {
      const [left, waitMs, ...flat] = reply.parse(await this.#library.call('sched', this.#keys, args))
      const picked: Round['picked'] = []
      for (let at = 0; at < flat.length; at += 2) {
        const tenant = flat[at]
        if (isTenantId(tenant)) picked.push({ tenant, tag: Number(flat[at + 1]) })
      }
      return { left, waitMs: waitMs < 0 ? null : waitMs, picked }
    } catch (error) {
      for (const tenant of dirty) this.#dirty.add(tenant)
      for (const [tenant, end] of ends) if (!this.#ends.has(tenant)) this.#ends.set(tenant, end)
      for (const [tenant, { delta, base }] of corrections) this.correct(tenant, delta, base)
      throw error
    }
  }
}
