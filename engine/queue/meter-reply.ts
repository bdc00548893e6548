// Reads what the function `meter` answers. Refuses a reply of another shape; what it does not know in a minute it leaves out,
// since another version may have counted more.

import { z } from 'zod'
import { pairsIn } from '../redis.ts'
import { COUNTERS, type Counter, type Counts, type Meter, type MeterMinute, nothingCounted } from './meter.ts'
import { type Stretch, withStretches } from './stretches.ts'

const flat = z.array(z.union([z.string(), z.number()]))
const meterReply = z.tuple([z.coerce.number(), flat, flat, flat])

const isCounter = (name: string): name is Counter => (COUNTERS as readonly string[]).includes(name)

/** What of a stretch that ended in a minute lies before that minute: milliseconds, back from its beginning. */
const BEFORE: Record<string, Stretch['counter']> = { atCapBeforeMs: 'atCapMs', atQueueBeforeMs: 'atQueueMs' }

interface Read extends MeterMinute {
  stretches: Stretch[]
}

function minuteOf(minute: number, list: readonly (string | number)[]): Read {
  const counts = nothingCounted()
  const responses = new Map<number, number>()
  const stretches: Stretch[] = []
  for (const [name, value] of pairsIn(list)) {
    const counter = BEFORE[name]
    const toMs = minute * 60_000
    if (counter) stretches.push({ counter, fromMs: toMs - Number(value), toMs })
    else if (isCounter(name)) counts[name] = Number(value)
    else if (/^b\d+$/.test(name)) responses.set(Number(name.slice(1)), Number(value))
  }
  return { minute, counts, responses, stretches }
}

/** Whenever it was. */
function addTo(totals: Counts, { counts, stretches }: Read): void {
  for (const name of COUNTERS) totals[name] += counts[name]
  for (const { counter, fromMs, toMs } of stretches) totals[counter] += toMs - fromMs
}

/** The reply: the time, the totals, the ring of past minutes, the minute that runs. */
export function parseMeter(reply: unknown): Meter {
  const [nowMs, usage, ring, running] = meterReply.parse(reply)
  const totals = nothingCounted()
  addTo(totals, minuteOf(0, usage))
  const minutes = pairsIn(ring).map(([, text]) => {
    const [minute = 0, ...list] = flat.parse(JSON.parse(String(text)))
    return minuteOf(Number(minute), list)
  })
  const started = pairsIn(running).find(([name]) => name === 'minute')
  if (started) {
    const last = minuteOf(Number(started[1]), running)
    addTo(totals, last)
    minutes.push(last)
  }
  const stretches = minutes.flatMap((minute) => minute.stretches)
  const counted = minutes.map(({ stretches: _, ...minute }) => minute)
  return { totals, minutes: withStretches(counted, stretches, nowMs), nowMs }
}
