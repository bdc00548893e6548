// Spreads a fixed number of operations evenly over a fixed time. It ticks for the whole of that time, whether or not
// anything is left to send, and not a moment longer: so a slow target costs its thread no more ticks than a quick one.

const TICK_MS = 1

export interface Pace {
  count: number
  lengthMs: number
  /** On the clock of performance.now(); may lie a little ahead, or behind. */
  startMs: number
  /** Told about every millisecond how many of the operations may have been sent by now; `count` at the end. */
  allow(total: number): void
  signal: AbortSignal
}

/** Resolves at the end of the time, or when stopped. */
export async function pace({ count, lengthMs, startMs, allow, signal }: Pace): Promise<void> {
  let allowed = 0
  while (!signal.aborted) {
    const elapsedMs = performance.now() - startMs
    // The n-th operation is due n/count of the way through, rounded up so that the first goes at once.
    const due = Math.min(count, Math.ceil((elapsedMs / lengthMs) * count))
    if (due > allowed) {
      allowed = due
      allow(due)
    }
    if (elapsedMs >= lengthMs) return
    await new Promise((resolve) => setTimeout(resolve, TICK_MS))
  }
}
