// A hiccup meter: how late a timer fires in this thread. It tells a stall of the generator or of the machine from one
// of the target. It measures its own thread only.

import { fresh } from './histogram.ts'

/** Lateness of one window, microseconds. */
export interface HiccupTally {
  samples: number
  maxUs: number
  p99Us: number
}

/** As fine as timers are. */
const EVERY_MS = 1
const EVERY_US = EVERY_MS * 1000

/**
 * A stall of 500 ms is one late tick, and the 499 that it kept from being: those are filled in, each as late as it would
 * have been, so that a percentile is a share of time. (Our own load is never filled in; its intended starts are known.)
 * @returns take(): the tally since the last take; stop()
 */
export function startHiccupMeter(): { take(): HiccupTally; stop(): void } {
  const lateUs = fresh()
  let maxUs = 0
  let due = performance.now() + EVERY_MS
  /** Accounts for the time until now. A tick that take() has settled before its timer came is not there again. */
  const settle = (): void => {
    const now = performance.now()
    if (now < due) return
    const late = Math.round((now - due) * 1000)
    maxUs = Math.max(maxUs, late)
    lateUs.recordValueWithExpectedInterval(late, EVERY_US)
    due = now + EVERY_MS
  }
  const tick = () => {
    settle()
    timer = setTimeout(tick, EVERY_MS)
  }
  let timer = setTimeout(tick, EVERY_MS)
  return {
    take: () => {
      // Whoever asks may come before the timer that a stall has held up.
      settle()
      const samples = lateUs.totalCount
      const tally = { samples, maxUs, p99Us: samples === 0 ? 0 : Math.min(maxUs, lateUs.getValueAtPercentile(99)) }
      lateUs.reset()
      maxUs = 0
      return tally
    },
    stop: () => clearTimeout(timer),
  }
}
