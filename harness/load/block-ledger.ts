// What became of one block's noise, operation by operation: allowed, sent, answered, lost. Who waits for the block is
// woken by the last event, so that waiting costs no CPU. Refuses to send: that is the flood's work.

/** The last tick of a block comes a little after its end: a timer that is due is never early. */
const LATE_AFTER_MS = 5

export class BlockLedger {
  count = 0
  allowed = 0
  sent = 0
  answered = 0
  /** Answered with a refusal. */
  refused = 0
  /** Lost, never answered, or answered with an error of the transport. */
  errors = 0
  /** Sent clearly after the block's end. */
  sentLate = 0
  /** On the clock of performance.now(); null before the first. */
  lastSentMs: number | null = null
  #endMs = 0
  #waiting: Array<{ until: () => boolean; resolve: () => void }> = []

  begin(count: number, endMs: number): void {
    Object.assign(this, { count, allowed: 0, sent: 0, answered: 0, refused: 0, errors: 0, sentLate: 0 })
    this.lastSentMs = null
    this.#endMs = endMs
  }

  /** May be sent now. */
  get due(): number {
    return Math.max(0, this.allowed - this.sent)
  }

  /** Of the block's fixed count. */
  get left(): number {
    return this.count - this.sent
  }

  get open(): number {
    return this.sent - this.answered - this.errors
  }

  noteSent(n: number): void {
    this.sent += n
    this.lastSentMs = performance.now()
    if (this.lastSentMs > this.#endMs + LATE_AFTER_MS) this.sentLate += n
    if (this.left < 0) throw new Error('more noise was sent than ordered')
    this.#wake()
  }

  noteAnswered(n: number, refused = 0): void {
    this.answered += n
    this.refused += refused
    this.#wake()
  }

  noteErrors(n: number): void {
    this.errors += n
    this.#wake()
  }

  /** Gives up what was not sent. */
  forgive(): void {
    this.allowed = this.count = this.sent
  }

  whenSent(): Promise<void> {
    return this.#when(() => this.left === 0)
  }

  whenSettled(): Promise<void> {
    return this.#when(() => this.open === 0)
  }

  #when(until: () => boolean): Promise<void> {
    if (until()) return Promise.resolve()
    return new Promise((resolve) => this.#waiting.push({ until, resolve }))
  }

  #wake(): void {
    if (this.#waiting.length === 0) return
    const ready = this.#waiting.filter(({ until }) => until())
    this.#waiting = this.#waiting.filter((waiting) => !ready.includes(waiting))
    for (const { resolve } of ready) resolve()
  }
}
