// The interval log second by second: what was due in each and how long it took. Refuses nothing; a second in which nothing was
// due has no line, and is not in here.

import { HistogramLogReader, type Int32Histogram } from 'hdr-histogram-js'
import type { SecondWindow } from '../evidence/types.ts'
import type { Counts } from './counts.ts'
import { countsIn } from './interval-log.ts'

interface Stretch {
  startMs: number
  lengthUs: number
  /** By kind of time. */
  counts: Map<string, Counts>
}

/**
 * Seconds by `tenant/arm/block`, in the order of time. Every operation has a lateness, so that their number is what was
 * offered; those that nobody saw ending are `open` here, whatever became of their window.
 */
export function readSeconds(text: string): Map<string, SecondWindow[]> {
  const stretches = new Map<string, Map<number, Stretch>>()
  const reader = new HistogramLogReader(text, 32, false)
  for (;;) {
    const histogram = reader.nextIntervalHistogram() as Int32Histogram | null
    if (!histogram) break
    const [tenant, arm, block, kind = ''] = histogram.tag.split('/')
    const window = `${tenant}/${arm}/${block}`
    const own = stretches.get(window) ?? new Map<number, Stretch>()
    stretches.set(window, own)
    // The log's clock has three decimals of a second.
    const startMs = Math.round(histogram.startTimeStampMsec)
    const lengthUs = 1000 * Math.round(histogram.endTimeStampMsec - histogram.startTimeStampMsec)
    const stretch = own.get(startMs) ?? { startMs, lengthUs, counts: new Map<string, Counts>() }
    own.set(startMs, stretch)
    stretch.counts.set(kind, countsIn(histogram))
  }
  return new Map([...stretches].map(([window, own]) => [window, [...own.values()].sort(byStart).map(secondOf)]))
}

const byStart = (x: Stretch, y: Stretch) => x.startMs - y.startMs

function secondOf({ lengthUs, counts }: Stretch): SecondWindow {
  return {
    lengthUs,
    offered: counts.get('lateness')?.total ?? 0,
    open: counts.get('at-least')?.total ?? 0,
    responseUs: counts.get('response')?.pairs() ?? [],
  }
}
