// A hiccup meter: how late a timer fires in this thread. It tells a stall of the generator or of the machine from one
// of the target. It measures its own thread only.

/** Lateness samples of one window, microseconds. */
export interface HiccupTally {
  samples: number
  maxUs: number
  p99Us: number
}

const EVERY_MS = 5

/** @returns take(): the tally since the last take; stop() */
export function startHiccupMeter(): { take(): HiccupTally; stop(): void } {
  let lateUs: number[] = []
  let due = performance.now() + EVERY_MS
  const tick = () => {
    const now = performance.now()
    lateUs.push(Math.max(0, Math.round((now - due) * 1000)))
    due = now + EVERY_MS
    timer = setTimeout(tick, EVERY_MS)
  }
  let timer = setTimeout(tick, EVERY_MS)
  return {
    take: () => {
      const sorted = lateUs.sort((x, y) => x - y)
      lateUs = []
      const n = sorted.length
      return { samples: n, maxUs: sorted[n - 1] ?? 0, p99Us: sorted[Math.max(0, Math.ceil(n * 0.99) - 1)] ?? 0 }
    },
    stop: () => clearTimeout(timer),
  }
}
