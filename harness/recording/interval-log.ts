// Interval histograms as an HdrHistogram log (v1.3): written as the run goes, read back by the judge.
// One line per second, tenant and kind of time, so that windows can be chosen after the run; integer microseconds, 3
// significant digits. Lines with the same tag belong together: they are added up when they are read.

import { HistogramLogReader, HistogramLogWriter, Int32Histogram } from 'hdr-histogram-js'
import { Counts } from './counts.ts'
import { fresh } from './histogram.ts'

/**
 * `response` and `service` hold operations that ended well, `lateness` all of them. `at-least` holds those that nobody saw
 * ending, with the time from their intended start until they were given up: a lower bound of their response time.
 */
export type Kind = 'response' | 'service' | 'lateness' | 'at-least'

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

const PART_OF = '#[Partywall run: '

/** Begins a part of the log: a comment to readers of such logs, with the run's nonce. */
export const logPart = (nonce: string): string => `${PART_OF}${nonce}]\n`

/** The nonces of the log's parts, in their order. */
export function partsOfLog(text: string): string[] {
  const lines = text.split('\n').filter((line) => line.startsWith(PART_OF))
  return lines.map((line) => line.slice(PART_OF.length, -1))
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

/**
 * What a histogram holds; values are the buckets' highest equivalent. Bucket by bucket: the package's own iterator does the
 * same and takes twenty times as long.
 */
export function countsIn(histogram: Int32Histogram): Counts {
  const pairs: Array<[number, number]> = []
  let left = histogram.totalCount
  for (let index = 0; left > 0 && index < histogram.countsArrayLength; index++) {
    const count = histogram.getCountAtIndex(index)
    if (count === 0) continue
    left -= count
    pairs.push([histogram.highestEquivalentValue(histogram.valueFromIndex(index)), count])
  }
  return Counts.of(pairs)
}

/**
 * Reads every interval of a log; equal tags are added up.
 * @param before what was read from the lines before these; it is added to
 * @returns by `tenant/arm/block/kind`
 */
export function readLog(text: string, before: Map<string, Counts> = new Map()): Map<string, Counts> {
  const reader = new HistogramLogReader(text, 32, false)
  for (;;) {
    const histogram = reader.nextIntervalHistogram()
    if (!(histogram instanceof Int32Histogram)) return before
    // The tag is a piece of the text, and would hold all of the text for as long as it is kept itself.
    const tag = Buffer.from(histogram.tag).toString()
    const known = before.get(tag)
    const counts = countsIn(histogram)
    before.set(tag, known ? Counts.sum([known, counts]) : counts)
  }
}
