// The dispatcher: which arrivals leave now. It is told the time and reads no clock. It loses none, keeps their order, and
// bounds the catch-up after a stall at twice the rate: a target must not be blamed for a flood that we made.

/** What is due, in order. */
export interface ArrivalQueue {
  /** Intended start of the next one, microseconds; Infinity where there is none. */
  peekUs(): number
  /** Takes the next one. @returns its number */
  take(): number
}

/** An arrival that is no later than this is on time: the clock ticks once a millisecond, and not exactly. */
const ON_TIME_US = 2000
/** Credit that can be saved up: short delays of the tick are made up for at once. */
const CREDIT_US = 5000
const LEAST_CREDIT = 2

/**
 * A bucket of tokens, filled at twice the rate. A late arrival leaves only with a token; one that is on time leaves in any
 * case, since a bunch that the schedule asks for is the load and no catch-up, but it takes a token where there is one.
 * So in any span of w microseconds at most 2·rate·w + credit leave, and besides them only what was due within it or at
 * most 2 ms before it.
 */
export class Dispatcher {
  readonly #queue: ArrivalQueue
  readonly #perUs: number
  readonly #credit: number
  #tokens: number
  #filledUs: number | null = null

  /** @param ratePerSecond of all arrivals together, at its highest */
  constructor(queue: ArrivalQueue, ratePerSecond: number) {
    this.#queue = queue
    this.#perUs = (2 * ratePerSecond) / 1e6
    this.#credit = Math.max(LEAST_CREDIT, CREDIT_US * this.#perUs)
    this.#tokens = this.#credit
  }

  /** Takes what leaves at this time off the queue. @param nowUs never less than before */
  *release(nowUs: number): Generator<number> {
    const passedUs = nowUs - (this.#filledUs ?? nowUs)
    this.#filledUs = nowUs
    this.#tokens = Math.min(this.#credit, this.#tokens + passedUs * this.#perUs)
    for (;;) {
      const intendedUs = this.#queue.peekUs()
      if (intendedUs > nowUs) return
      if (this.#tokens < 1 && nowUs - intendedUs > ON_TIME_US) return
      this.#tokens = Math.max(0, this.#tokens - 1)
      yield this.#queue.take()
    }
  }
}
