// The independent log: when steps began and ended, on the monotonic clock, as the steps' own process says; and what
// follows from it. Refuses to read a counter of the engine.

import type { Claim } from '../../engine/queue/queue.ts'
import type { StepWitness } from '../../engine/workers/worker.ts'

export interface Sighting {
  tenant: string
  entryId: string
  attempt: number
  startedNs: bigint
  /** Null while it runs, and when its process was killed and nobody said so. */
  endedNs: bigint | null
  /** When its claim was asked for: the claim lies between this and the start. As late as the start when it was not told. */
  askedNs: bigint
  /** Null when it was not told. */
  inputText: string | null
  /** Which worker process said so. */
  worker: string
}

export interface Told {
  askedNs?: bigint
  inputText?: string
  worker?: string
}

/** On the monotonic clock that all processes of a machine share. */
export const askedNsOf = (claim: Claim): bigint =>
  process.hrtime.bigint() - BigInt(Math.ceil((performance.now() - claim.askedAtMs) * 1e6))

export class Witness implements StepWitness {
  readonly sightings: Sighting[] = []
  readonly #open = new Map<string, Sighting>()

  see(
    event: 'started' | 'ended',
    tenant: string,
    entryId: string,
    attempt: number,
    atNs: bigint,
    { askedNs = atNs, inputText, worker = '' }: Told = {},
  ): void {
    const key = `${worker} ${tenant} ${entryId} ${attempt}`
    if (event === 'started') {
      const sighting = { tenant, entryId, attempt, startedNs: atNs, endedNs: null, askedNs, worker }
      this.#begin(key, { ...sighting, inputText: inputText ?? null })
    } else {
      const sighting = this.#open.get(key)
      if (sighting) sighting.endedNs = atNs
      this.#open.delete(key)
    }
  }

  #begin(key: string, sighting: Sighting): void {
    this.sightings.push(sighting)
    this.#open.set(key, sighting)
  }

  /** What a worker process had open when it was killed ended there. */
  died(worker: string, atNs: bigint): void {
    for (const [key, sighting] of this.#open) {
      if (sighting.worker !== worker) continue
      sighting.endedNs = atNs
      this.#open.delete(key)
    }
  }

  started(claim: Claim): void {
    const { tenant, entryId, attempt, inputText } = claim
    const told = { askedNs: askedNsOf(claim), inputText }
    this.see('started', tenant, entryId, attempt, process.hrtime.bigint(), told)
  }

  ended({ tenant, entryId, attempt }: Claim): void {
    this.see('ended', tenant, entryId, attempt, process.hrtime.bigint())
  }

  of(tenant: string): Sighting[] {
    return this.sightings.filter((sighting) => sighting.tenant === tenant)
  }

  /** The most runs of a tenant at one instant. `deadAtNs`: when a process that left runs open was killed. */
  peak(tenant: string, deadAtNs: bigint | null = null): number {
    const edges = this.of(tenant).flatMap(({ startedNs, endedNs }) => {
      const end = endedNs ?? deadAtNs
      return [{ at: startedNs, by: 1 }, ...(end === null ? [] : [{ at: end, by: -1 }])]
    })
    // An end and a start of the same instant do not overlap.
    edges.sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : a.by - b.by))
    let now = 0
    let most = 0
    for (const { by } of edges) {
      now += by
      most = Math.max(most, now)
    }
    return most
  }

  /** Slot time in milliseconds by tenant, of what was seen until `untilNs`. */
  slotMs(untilNs: bigint): Map<string, number> {
    const sums = new Map<string, number>()
    for (const { tenant, startedNs, endedNs } of this.sightings) {
      if (startedNs >= untilNs) continue
      const end = endedNs === null || endedNs > untilNs ? untilNs : endedNs
      sums.set(tenant, (sums.get(tenant) ?? 0) + Number(end - startedNs) / 1e6)
    }
    return sums
  }

  /** The share of the slots' time that was used, between two instants. */
  busy(slots: number, fromNs: bigint, untilNs: bigint): number {
    let sum = 0
    for (const { startedNs, endedNs } of this.sightings) {
      const from = startedNs < fromNs ? fromNs : startedNs
      const end = endedNs === null || endedNs > untilNs ? untilNs : endedNs
      if (end > from) sum += Number(end - from)
    }
    return sum / (slots * Number(untilNs - fromNs))
  }
}

/** Jain's index: (Σx)² / (n Σx²); 1 when all are equal, 1/n when one has all. */
export function jain(values: readonly number[]): number {
  const sum = values.reduce((a, b) => a + b, 0)
  const squares = values.reduce((a, b) => a + b * b, 0)
  return (sum * sum) / (values.length * squares)
}

/** The value below which a fraction p of them lies (nearest rank). */
export function quantile(values: readonly number[], p: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.max(0, Math.ceil(p * sorted.length) - 1)] ?? Number.NaN
}
