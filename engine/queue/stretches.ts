// Stretches of time that a tenant spent at a limit, each given to the minutes in which it was: a stretch of twenty minutes
// is no full window in the minute in which it ends. Pure. Refuses what lies before the last hour.

import { type MeterMinute, MINUTES_KEPT, nothingCounted } from './meter.ts'

const MINUTE_MS = 60_000

export interface Stretch {
  counter: 'atCapMs' | 'atQueueMs'
  /** Milliseconds, Redis' clock. */
  fromMs: number
  toMs: number
}

/** The minutes of the last hour, oldest first, with the stretches in them; new ones where nothing else was counted. */
export function withStretches(
  counted: readonly MeterMinute[],
  stretches: readonly Stretch[],
  nowMs: number,
): MeterMinute[] {
  const oldest = Math.floor(nowMs / MINUTE_MS) - MINUTES_KEPT + 1
  const minutes = new Map<number, MeterMinute>()
  for (const each of counted) {
    if (each.minute >= oldest) minutes.set(each.minute, { ...each, counts: { ...each.counts } })
  }
  for (const { counter, fromMs, toMs } of stretches) {
    for (let fromHere = Math.max(fromMs, oldest * MINUTE_MS); fromHere < toMs; ) {
      const minute = Math.floor(fromHere / MINUTE_MS)
      const toHere = Math.min(toMs, (minute + 1) * MINUTE_MS)
      const known = minutes.get(minute) ?? { minute, counts: nothingCounted(), responses: new Map() }
      known.counts[counter] += toHere - fromHere
      minutes.set(minute, known)
      fromHere = toHere
    }
  }
  return [...minutes.values()].sort((a, b) => a.minute - b.minute)
}
