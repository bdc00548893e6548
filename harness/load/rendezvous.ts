// Starts and their ends, which may come in either order: an end may overtake the answer that gives its run an id. Keeps a
// bounded number of each; the oldest make room.

import type { OperationOutcome } from './ledger.ts'

const EARLY_KEPT = 10_000
const WAITING_KEPT = 100_000

export class Rendezvous {
  /** Started and not yet seen to end, in the order of their starts. */
  readonly waiting = new Map<string, number>()
  readonly #early = new Map<string, OperationOutcome>()
  readonly #ended: (seq: number, outcome: OperationOutcome) => void

  constructor(ended: (seq: number, outcome: OperationOutcome) => void) {
    this.#ended = ended
  }

  started(id: string, seq: number): void {
    const early = this.#early.get(id)
    if (early === undefined) {
      keep(this.waiting, id, seq, WAITING_KEPT)
      return
    }
    this.#early.delete(id)
    this.#ended(seq, early)
  }

  ended(id: string, outcome: OperationOutcome): void {
    const seq = this.waiting.get(id)
    if (seq === undefined) {
      keep(this.#early, id, outcome, EARLY_KEPT)
      return
    }
    this.waiting.delete(id)
    this.#ended(seq, outcome)
  }
}

/** Sets one entry; the oldest goes when there are too many. */
function keep<T>(map: Map<string, T>, id: string, value: T, most: number): void {
  const [oldest] = map.size < most ? [] : map.keys()
  if (oldest !== undefined) map.delete(oldest)
  map.set(id, value)
}
