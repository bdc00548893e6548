// The ledger: what became of every arrival. It draws arrivals from the schedule as time comes to them, and drops them once
// they are collected. An arrival is never lost: one without an end is kept as unfinished.

import type { ArrivalQueue } from './dispatcher.ts'
import type { Arrival } from './schedule.ts'

export type OperationOutcome = 'ok' | 'failed' | 'unfinished'

/** One quiet operation. Microseconds after the generator's zero. */
export interface Operation {
  /** Index into the run's quiet tenants. */
  tenant: number
  seq: number
  intendedUs: number
  /** When it was handed over to the connections: the actual start. Null for one that never was. */
  handedUs: number | null
  /** Completion seen. For an unfinished one, until when it was waited for: its response time is at least that. */
  endUs: number
  outcome: OperationOutcome
}

const OUTCOMES: OperationOutcome[] = ['ok', 'failed', 'unfinished']
const UNFINISHED = OUTCOMES.indexOf('unfinished')
/** Numbers of one operation when packed, in the order of its fields; NaN stands for null. */
const FIELDS = 6
const FIRST_ROOM = 1024

/** Slots of typed arrays, from the oldest that was not collected; `seq` counts from the run's first arrival. */
export class Ledger implements ArrivalQueue {
  readonly #schedule: Iterator<Arrival>
  /** The next arrival of the schedule, not yet in a slot; null when the schedule has ended. */
  #drawn: Arrival | null
  #room = FIRST_ROOM
  #tenant = new Uint16Array(FIRST_ROOM)
  #intendedUs = new Float64Array(FIRST_ROOM)
  #handedUs = new Float64Array(FIRST_ROOM)
  #endUs = new Float64Array(FIRST_ROOM)
  #outcome = new Uint8Array(FIRST_ROOM)
  #size = 0
  /** Number of the arrival in slot 0. */
  #base = 0
  /** Number of the next one to be handed over. */
  #next = 0

  constructor(schedule: Iterable<Arrival>) {
    this.#schedule = schedule[Symbol.iterator]()
    this.#drawn = this.#draw()
  }

  /** Operations that are held in memory. */
  get size(): number {
    return this.#size
  }

  /** What the slots take of memory, used or not. */
  get bytes(): number {
    return this.#columns().reduce((sum, column) => sum + column.byteLength, 0)
  }

  peekUs(): number {
    const slot = this.#next - this.#base
    if (slot < this.#size) return this.#intendedUs[slot] ?? Number.POSITIVE_INFINITY
    return this.#drawn?.intendedUs ?? Number.POSITIVE_INFINITY
  }

  take(): number {
    if (this.#next - this.#base === this.#size) this.#keep()
    return this.#next++
  }

  tenantOf(seq: number): number {
    return this.#tenant[seq - this.#base] ?? 0
  }

  handed(seq: number, us: number): void {
    const slot = this.#slot(seq)
    if (slot !== null) this.#handedUs[slot] = us
  }

  /** The first end counts; one that comes after the collection is too late for anybody. */
  ended(seq: number, us: number, outcome: OperationOutcome): void {
    const slot = this.#slot(seq)
    if (slot === null || !Number.isNaN(this.#endUs[slot])) return
    this.#endUs[slot] = us
    this.#outcome[slot] = OUTCOMES.indexOf(outcome)
  }

  /** The first arrival due before toUs that has no end, from this number on; null when each has one. */
  openBefore(toUs: number, from = 0): number | null {
    this.#drawUntil(toUs)
    for (let slot = Math.max(0, from - this.#base); slot < this.#size; slot++) {
      if ((this.#intendedUs[slot] ?? 0) >= toUs) return null
      if (Number.isNaN(this.#endUs[slot])) return this.#base + slot
    }
    return null
  }

  /**
   * Everything due before toUs, and forgotten here: one that was not handed over by now never will be.
   * @returns packed, as numbers cross threads without being copied
   */
  collect(toUs: number, nowUs: number): Float64Array<ArrayBuffer> {
    this.#drawUntil(toUs)
    let count = 0
    while (count < this.#size && (this.#intendedUs[count] ?? 0) < toUs) count++
    const packed = new Float64Array(count * FIELDS)
    for (let slot = 0; slot < count; slot++) {
      const end = this.#endUs[slot] ?? Number.NaN
      const isOpen = Number.isNaN(end)
      packed[slot * FIELDS] = this.#tenant[slot] ?? 0
      packed[slot * FIELDS + 1] = this.#base + slot
      packed[slot * FIELDS + 2] = this.#intendedUs[slot] ?? 0
      packed[slot * FIELDS + 3] = this.#handedUs[slot] ?? Number.NaN
      packed[slot * FIELDS + 4] = isOpen ? nowUs : end
      packed[slot * FIELDS + 5] = isOpen ? UNFINISHED : (this.#outcome[slot] ?? UNFINISHED)
    }
    for (const column of this.#columns()) column.copyWithin(0, count, this.#size)
    this.#size -= count
    this.#base += count
    this.#next = Math.max(this.#next, this.#base)
    return packed
  }

  #slot(seq: number): number | null {
    const slot = seq - this.#base
    return slot >= 0 && slot < this.#size ? slot : null
  }

  #columns() {
    return [this.#tenant, this.#intendedUs, this.#handedUs, this.#endUs, this.#outcome]
  }

  #draw(): Arrival | null {
    const { done, value } = this.#schedule.next()
    return done ? null : value
  }

  #drawUntil(us: number): void {
    while (this.#drawn && this.#drawn.intendedUs < us) this.#keep()
  }

  /** Gives the drawn arrival a slot. */
  #keep(): void {
    if (this.#drawn === null) throw new Error('an arrival was taken where there was none')
    if (this.#size === this.#room) this.#grow()
    const slot = this.#size++
    this.#tenant[slot] = this.#drawn.tenant
    this.#intendedUs[slot] = this.#drawn.intendedUs
    this.#handedUs[slot] = Number.NaN
    this.#endUs[slot] = Number.NaN
    this.#drawn = this.#draw()
  }

  #grow(): void {
    this.#room *= 2
    const wider = <T extends Uint16Array | Float64Array | Uint8Array>(wide: T, old: T): T => {
      wide.set(old)
      return wide
    }
    this.#tenant = wider(new Uint16Array(this.#room), this.#tenant)
    this.#intendedUs = wider(new Float64Array(this.#room), this.#intendedUs)
    this.#handedUs = wider(new Float64Array(this.#room), this.#handedUs)
    this.#endUs = wider(new Float64Array(this.#room), this.#endUs)
    this.#outcome = wider(new Uint8Array(this.#room), this.#outcome)
  }
}

export function unpack(packed: Float64Array): Operation[] {
  const operations: Operation[] = []
  for (let i = 0; i < packed.length; i += FIELDS) {
    const [tenant = 0, seq = 0, intendedUs = 0, handed = 0, endUs = 0, outcome = UNFINISHED] = packed.subarray(
      i,
      i + FIELDS,
    )
    const handedUs = Number.isNaN(handed) ? null : handed
    operations.push({ tenant, seq, intendedUs, handedUs, endUs, outcome: OUTCOMES[outcome] ?? 'unfinished' })
  }
  return operations
}
