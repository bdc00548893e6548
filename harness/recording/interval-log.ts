// Interval histograms as an HdrHistogram log (v1.3): written as the run goes, read back by the judge.
// One line per window, tenant and kind of time; integer microseconds, 3 significant digits.

import { build, type Histogram, HistogramLogReader, HistogramLogWriter } from 'hdr-histogram-js'

export type Kind = 'response' | 'service' | 'lateness'

export interface Interval {
  tenant: string
  /** silence, placebo, noise, or between: counted to no arm. */
  arm: string
  /** Block index; -1 for between. */
  block: number
  kind: Kind
  startUs: number
  endUs: number
}

/** The plain JS histogram also walks its buckets; the package's type of `build` does not say so. */
interface WalkableHistogram extends Histogram {
  recordedValuesIterator: {
    reset(): void
    hasNext(): boolean
    next(): { valueIteratedTo: number; countAtValueIteratedTo: number }
  }
}

function fresh(): WalkableHistogram {
  // 32-bit counts in plain JS: fewer than 2^32 samples an interval, and nothing that must be destroyed.
  return build({
    bitBucketSize: 32,
    autoResize: true,
    numberOfSignificantValueDigits: 3,
    useWebAssembly: false,
  }) as WalkableHistogram
}

const scratch = fresh()

/** The log's head, once per file. */
export function logHead(startedAtMs: number): string {
  let text = ''
  const writer = new HistogramLogWriter((line) => {
    text += line
  })
  writer.outputLogFormatVersion()
  writer.outputStartTime(startedAtMs)
  writer.outputLegend()
  return text
}

/** One line of the log. @param valuesUs microseconds, any order; none gives an empty line */
export function logLine(interval: Interval, valuesUs: readonly number[]): string {
  if (valuesUs.length === 0) return ''
  scratch.reset()
  for (const value of valuesUs) scratch.recordValue(Math.max(0, Math.round(value)))
  scratch.tag = [interval.tenant, interval.arm, interval.block, interval.kind].join('/')
  let text = ''
  const writer = new HistogramLogWriter((line) => {
    text += line
  })
  writer.outputIntervalHistogram(scratch, interval.startUs / 1e6, interval.endUs / 1e6, 1)
  return text
}

export type Counts = Array<[valueUs: number, count: number]>

/** [value, count] of every bucket that holds something, ascending; values are the buckets' highest equivalent. */
function countsOf(histogram: WalkableHistogram): Counts {
  const counts: Counts = []
  const iterator = histogram.recordedValuesIterator
  iterator.reset()
  while (iterator.hasNext()) {
    const at = iterator.next()
    counts.push([at.valueIteratedTo, at.countAtValueIteratedTo])
  }
  return counts
}

/** Reads every interval of a log. @returns by `tenant/arm/block/kind` */
export function readLog(text: string): Map<string, Counts> {
  const intervals = new Map<string, Counts>()
  const reader = new HistogramLogReader(text, 32, false)
  for (;;) {
    const histogram = reader.nextIntervalHistogram() as WalkableHistogram | null
    if (!histogram) return intervals
    intervals.set(histogram.tag, countsOf(histogram))
  }
}

/** Nearest-rank quantile of counts; null when there are none. @param q 0..1 */
export function quantile(counts: Counts, q: number): number | null {
  const n = counts.reduce((sum, [, count]) => sum + count, 0)
  if (n === 0) return null
  let left = Math.max(1, Math.ceil(n * q))
  for (const [value, count] of counts) {
    left -= count
    if (left <= 0) return value
  }
  return null
}
