// What the queue counts of each tenant, inside the calls that it makes anyway: totals for the bill, and one record a
// minute for the SLO monitor, the last hour of them. Refuses to judge; the monitor does.

import { z } from 'zod'

/** Counters, in the totals and in each minute. */
const COUNTERS = [
  'done',
  'failed',
  'timedOut',
  'cancelled',
  'dead',
  /** First attempts that were claimed, and further ones. */
  'starts',
  'retries',
  /** Milliseconds of slot time, of all attempts. */
  'slotMs',
  /** Bytes of inputs claimed and of outcomes kept. */
  'bytesIn',
  'bytesOut',
  /** What steps declared to have used. */
  'tokens',
  'toolCalls',
  'refusedRate',
  'refusedQueue',
  /** Milliseconds spent at the start rate, at the cap of concurrent runs with more waiting, and at the queue's bound. */
  'atRateMs',
  'atCapMs',
  'atQueueMs',
] as const
export type Counter = (typeof COUNTERS)[number]
export type Counts = Record<Counter, number>

export interface MeterMinute {
  /** Minutes since the epoch, on Redis' clock. */
  minute: number
  counts: Counts
  /** Response times, from queued to ended, of done, failed and timed-out runs: bucket → runs. See `bucketMs`. */
  responses: ReadonlyMap<number, number>
}

export interface Meter {
  totals: Counts
  /** Oldest first; at most the last 60, minutes without an event left out. */
  minutes: MeterMinute[]
  /** Redis' clock, milliseconds, when this was read. */
  nowMs: number
}

/**
 * The upper edge of a bucket, milliseconds. Eight buckets an octave: bucket b holds [2^(b/8) - 1, 2^((b+1)/8) - 1), so an
 * edge is at most 9.1 % (and 1 ms) above what it stands for. The arithmetic is that of functions/meter.lua.
 */
export const bucketMs = (bucket: number): number => 2 ** ((bucket + 1) / 8) - 1

const flat = z.array(z.union([z.string(), z.number()]))
const meterReply = z.tuple([z.coerce.number(), flat, flat, flat])

const isCounter = (name: string): name is Counter => (COUNTERS as readonly string[]).includes(name)

function pairs(list: readonly (string | number)[]): [string, string | number][] {
  return Array.from({ length: list.length >> 1 }, (_, at) => [String(list[2 * at]), list[2 * at + 1] ?? 0])
}

export const nothingCounted = (): Counts => Object.fromEntries(COUNTERS.map((name) => [name, 0])) as Counts

function minuteOf(minute: number, list: readonly (string | number)[]): MeterMinute {
  const counts = nothingCounted()
  const responses = new Map<number, number>()
  for (const [name, value] of pairs(list)) {
    if (isCounter(name)) counts[name] = Number(value)
    else if (/^b\d+$/.test(name)) responses.set(Number(name.slice(1)), Number(value))
  }
  return { minute, counts, responses }
}

/** Reads the reply of the function `meter`: the time, the totals, the ring of past minutes, the minute that runs. */
export function parseMeter(reply: unknown): Meter {
  const [nowMs, usage, ring, running] = meterReply.parse(reply)
  const totals = minuteOf(0, usage).counts
  const minutes: MeterMinute[] = []
  for (const [, text] of pairs(ring)) {
    const [minute = 0, ...list] = flat.parse(JSON.parse(String(text)))
    minutes.push(minuteOf(Number(minute), list))
  }
  const started = pairs(running).find(([name]) => name === 'minute')
  if (started) {
    const last = minuteOf(Number(started[1]), running)
    for (const name of COUNTERS) totals[name] += last.counts[name]
    minutes.push(last)
  }
  const oldest = Math.floor(nowMs / 60_000) - 60
  const kept = minutes.filter(({ minute }) => minute > oldest).sort((a, b) => a.minute - b.minute)
  return { totals, minutes: kept, nowMs }
}
