// Which runs are asked about when all is over, chosen as they are handed over and not by what becomes of them. Seeded, so
// that they can be told again; refuses to grow: a start that is never answered is forgotten.

import { randomFor } from './random.ts'

/** A run that was chosen and got an id. */
export interface SampledRun {
  /** Index into the run's quiet tenants. */
  tenant: number
  seq: number
  id: string
}

/** Of each tenant, on average: 12 to 13 in a steady window of 0.8 s. */
const PER_SECOND = 16
const OPEN_KEPT = 4096

export class RunSample {
  readonly #shares: number[]
  readonly #random: () => number
  readonly #open = new Map<number, number>()
  #found: SampledRun[] = []

  /** @param peaks arrivals a second of each tenant, at their highest */
  constructor(runSeed: number, peaks: readonly number[]) {
    this.#shares = peaks.map((perSecond) => PER_SECOND / perSecond)
    this.#random = randomFor(runSeed, 'runs that are asked about at the end')
  }

  handed(tenant: number, seq: number): void {
    if (this.#random() >= (this.#shares[tenant] ?? 0)) return
    const [oldest] = this.#open.size < OPEN_KEPT ? [] : this.#open.keys()
    if (oldest !== undefined) this.#open.delete(oldest)
    this.#open.set(seq, tenant)
  }

  started(seq: number, id: string): void {
    const tenant = this.#open.get(seq)
    if (tenant === undefined) return
    this.#open.delete(seq)
    this.#found.push({ tenant, seq, id })
  }

  /** Those that got their id since the last take. */
  take(): SampledRun[] {
    return this.#found.splice(0)
  }
}
