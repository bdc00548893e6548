// The SLO monitor of one tenant: what its last minutes were like, by its own objectives, from what the queue counted. Pure:
// minutes in, a report out. Refuses to average: percentiles come from the histogram, each with its sample count.

import { z } from 'zod'
import { bucketMs, type Counts, type Meter, type MeterMinute } from '../queue/meter.ts'
import { withStretches } from '../queue/stretches.ts'

/** What a tenant was promised. Event-based: shares of its runs. */
export const objectivesSchema = z.strictObject({
  /** A run is in time when it ends at most this long after it was queued, milliseconds. */
  responseMs: z.number().int().min(1).max(86_400_000).default(1000),
  /** The share of runs that are to be in time. */
  inTimeRatio: z.number().min(0.5).max(0.9999).default(0.99),
  /** The share of runs that are to end well: done, not failed, timed out or dead. */
  successRatio: z.number().min(0.5).max(0.9999).default(0.99),
})
/** A change names only what changes; a default here would reset what was not named. */
export const objectivesPatchSchema = z
  .strictObject({
    responseMs: objectivesSchema.shape.responseMs.unwrap(),
    inTimeRatio: objectivesSchema.shape.inTimeRatio.unwrap(),
    successRatio: objectivesSchema.shape.successRatio.unwrap(),
  })
  .partial()
export type ObjectivesPatch = z.infer<typeof objectivesPatchSchema>
export type Objectives = z.infer<typeof objectivesSchema>

/** Minutes; the last of them is the one that runs. */
const WINDOWS = [5, 60] as const
/** The limits whose reaching is timed. */
const timedLimits = ['startsPerMinute', 'concurrentRuns', 'maxQueued'] as const
/** Consistently at a limit: for at least this share of the short window. */
const AT_ITS_LIMIT_SHARE = 0.5

const share = z.number().min(0).max(1)
const figure = z.number().nullable()

const windowShape = z.object({
  minutes: z.number(),
  /** What of it has passed since the tenant exists. */
  seconds: z.number(),
  runs: z.object({
    done: z.number(),
    failed: z.number(),
    timedOut: z.number(),
    dead: z.number(),
    cancelled: z.number(),
    perSecond: z.number(),
  }),
  /** From queued to ended, of done, failed and timed-out runs; upper bounds, at most 9.1 % and 1 ms too high. */
  response: z.object({ samples: z.number(), p50Ms: figure, p99Ms: figure, p999Ms: figure }),
  /** (failed + timed out + dead) / (those + done); null without runs. */
  errorRatio: share.nullable(),
  /** Share of the window spent at the limit. */
  atLimit: z.object({ startsPerMinute: share, concurrentRuns: share, maxQueued: share }),
  refused: z.object({ rateLimited: z.number(), queueFull: z.number() }),
  /** Failures as a multiple of those that the objective permits; 1 spends the budget exactly; null without runs. */
  budgetBurn: z.object({
    inTime: figure.meta({
      description:
        'Runs that took longer than responseMs by those that inTimeRatio permits. Response times are kept in buckets, eight an ' +
        'octave: a bucket that reaches beyond responseMs counts as late as a whole, so runs at most 8.3 % and 0.1 ms quicker than it may be among them',
    }),
    success: figure,
  }),
})
export type WindowReport = z.infer<typeof windowShape>

const signalShape = z.object({
  name: z.literal('at-its-limit'),
  limit: z.enum(timedLimits),
  share,
  minutes: z.number(),
})

export const sloShape = z.object({
  tenant: z.string(),
  atMs: z.number(),
  objectives: objectivesSchema,
  windows: z.array(windowShape),
  /** Empty when the tenant is not consistently at a limit. */
  signals: z.array(signalShape),
  /** Since the tenant was created: what it cost. */
  usage: z.object({
    runs: z.number(),
    slotSeconds: z.number(),
    inputBytes: z.number(),
    outputBytes: z.number(),
    tokens: z.number(),
    toolCalls: z.number(),
  }),
})
export type SloReport = z.infer<typeof sloShape>

export interface Sums {
  counts: Counts
  responses: Map<number, number>
}

/** Null of nothing. */
export function sumOf(parts: readonly Pick<MeterMinute, 'counts' | 'responses'>[]): Sums | null {
  const [first, ...rest] = parts
  if (!first) return null
  const counts = { ...first.counts }
  const responses = new Map(first.responses)
  for (const part of rest) {
    for (const name of Object.keys(counts) as (keyof Counts)[]) counts[name] += part.counts[name]
    for (const [bucket, runs] of part.responses) responses.set(bucket, (responses.get(bucket) ?? 0) + runs)
  }
  return { counts, responses }
}

const samplesOf = (responses: ReadonlyMap<number, number>) =>
  [...responses.values()].reduce((sum, runs) => sum + runs, 0)

/** The smallest upper edge below which at least this share of the runs lies; null without runs. */
export function quantileMs(responses: ReadonlyMap<number, number>, q: number): number | null {
  let left = Math.ceil(q * samplesOf(responses))
  if (left === 0) return null
  for (const [bucket, runs] of [...responses].sort(([a], [b]) => a - b)) {
    left -= runs
    if (left <= 0) return Math.round(bucketMs(bucket) * 10) / 10
  }
  return null
}

const shareOf = (part: number, whole: number): number => (whole > 0 ? Math.min(1, part / whole) : 0)

/** `seconds`: what of the window has passed. */
export function windowOf(sums: Sums | null, minutes: number, seconds: number, objectives: Objectives): WindowReport {
  const count = (name: keyof Counts) => sums?.counts[name] ?? 0
  const responses = sums?.responses ?? new Map<number, number>()
  const samples = samplesOf(responses)
  const bad = count('failed') + count('timedOut') + count('dead')
  const ended = bad + count('done')
  const late = samplesOf(new Map([...responses].filter(([bucket]) => bucketMs(bucket) > objectives.responseMs)))
  return {
    minutes,
    seconds,
    runs: {
      done: count('done'),
      failed: count('failed'),
      timedOut: count('timedOut'),
      dead: count('dead'),
      cancelled: count('cancelled'),
      perSecond: seconds > 0 ? ended / seconds : 0,
    },
    response: {
      samples,
      p50Ms: quantileMs(responses, 0.5),
      p99Ms: quantileMs(responses, 0.99),
      p999Ms: quantileMs(responses, 0.999),
    },
    errorRatio: ended > 0 ? bad / ended : null,
    atLimit: {
      startsPerMinute: shareOf(count('atRateMs'), seconds * 1000),
      concurrentRuns: shareOf(count('atCapMs'), seconds * 1000),
      maxQueued: shareOf(count('atQueueMs'), seconds * 1000),
    },
    refused: { rateLimited: count('refusedRate'), queueFull: count('refusedQueue') },
    budgetBurn: {
      inTime: samples > 0 ? late / samples / (1 - objectives.inTimeRatio) : null,
      success: ended > 0 ? bad / ended / (1 - objectives.successRatio) : null,
    },
  }
}

/** The minutes of a window, the running one included, and what of it has passed since the tenant exists. */
export function lastMinutes(meter: Meter, minutes: number, createdAtMs: number) {
  const first = Math.floor(meter.nowMs / 60_000) - minutes + 1
  const seconds = Math.max(0, meter.nowMs - Math.max(first * 60_000, createdAtMs)) / 1000
  return { sums: sumOf(meter.minutes.filter(({ minute }) => minute >= first)), seconds }
}

/** A stretch at a limit is counted when it ends; what is open is added here. 0: at that limit it is not. */
export function withOpenStretches(meter: Meter, capSinceMs: number, fullSinceMs: number): Meter {
  const { minutes, nowMs } = meter
  const since = { atCapMs: capSinceMs, atQueueMs: fullSinceMs } as const
  const open = (['atCapMs', 'atQueueMs'] as const).flatMap((counter) =>
    since[counter] > 0 ? [{ counter, fromMs: since[counter], toMs: nowMs }] : [],
  )
  return { ...meter, minutes: withStretches(minutes, open, nowMs) }
}

interface Watched {
  id: string
  createdAtMs: number
  objectives: Objectives
}

export function sloOf({ id, createdAtMs, objectives }: Watched, meter: Meter): SloReport {
  const windows = WINDOWS.map((minutes) => {
    const { sums, seconds } = lastMinutes(meter, minutes, createdAtMs)
    return windowOf(sums, minutes, seconds, objectives)
  })
  const { totals } = meter
  return {
    tenant: id,
    atMs: meter.nowMs,
    objectives,
    windows,
    signals: windows.slice(0, 1).flatMap(signalsOf),
    usage: {
      runs: totals.done + totals.failed + totals.timedOut + totals.dead + totals.cancelled,
      slotSeconds: totals.slotMs / 1000,
      inputBytes: totals.bytesIn,
      outputBytes: totals.bytesOut,
      tokens: totals.tokens,
      toolCalls: totals.toolCalls,
    },
  }
}

export function signalsOf({ atLimit, minutes }: WindowReport): z.infer<typeof signalShape>[] {
  return timedLimits
    .filter((limit) => atLimit[limit] >= AT_ITS_LIMIT_SHARE)
    .map((limit) => ({ name: 'at-its-limit' as const, limit, share: atLimit[limit], minutes }))
}
