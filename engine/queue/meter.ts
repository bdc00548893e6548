// What the queue counts of each tenant, inside the calls that it makes anyway: totals for the bill, and one record a
// minute for the SLO monitor, the last hour of them. Refuses to judge; the monitor does.

/** The minute that runs and those before it; the ring in functions/meter.lua has as many. */
export const MINUTES_KEPT = 60

/** Counters, in the totals and in each minute. */
export const COUNTERS = [
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

export const nothingCounted = (): Counts => Object.fromEntries(COUNTERS.map((name) => [name, 0])) as Counts
