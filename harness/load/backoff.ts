// How long a lost connection waits before it is made anew: a target that hangs up, or is gone, must not be met with a hot
// loop of connects, which would be a noise that nobody ordered. Refuses a wait above five seconds.

const FIRST_MS = 20
const LONGEST_MS = 5000

export class Backoff {
  readonly #spread: number
  #nextMs = FIRST_MS

  /** @param place of this connection among its fellows, 0..1: those that are lost together do not come back together */
  constructor(place: number) {
    this.#spread = 0.5 + place / 2
  }

  /** Milliseconds to wait now; twice as long the next time. */
  take(): number {
    const waitMs = this.#nextMs * this.#spread
    this.#nextMs = Math.min(2 * this.#nextMs, LONGEST_MS)
    return waitMs
  }

  /** After a connection that was of use. */
  reset(): void {
    this.#nextMs = FIRST_MS
  }
}
