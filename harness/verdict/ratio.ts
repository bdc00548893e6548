// The pooled p99 ratio noise/placebo of one tenant with an interval from resampled pairs. It informs; it never decides.

import type { Interval } from '../evidence/verdict.ts'
import { randomFor } from '../load/random.ts'
import { drawTimes, pool, topRank } from './resample.ts'
import { type PairSamples, SMALLEST_MS } from './samples.ts'

const RESAMPLES = 1000

/**
 * Ratio of pooled p99s with a 95 % percentile interval over resampled pairs; a response that never came counts as
 * `timeoutMs`. Null when an arm has no sample.
 */
export function pooledRatio(
  pairs: readonly PairSamples[],
  options: { timeoutMs: number; runSeed: number; tenant: string },
): Interval | null {
  const off = pool(pairs.map((pair) => pair.off))
  const on = pool(pairs.map((pair) => pair.on))
  if (off.values.length === 0 || on.values.length === 0) return null
  const finite = (ms: number) => (ms === Number.POSITIVE_INFINITY ? options.timeoutMs : Math.max(ms, SMALLEST_MS))
  const ratioOf = (times: Int32Array) => finite(topRank(on, times, 10)) / finite(topRank(off, times, 10))
  const random = randomFor(options.runSeed, `verdict/ratio/${options.tenant}`)
  const ratios: number[] = []
  const times = new Int32Array(pairs.length)
  for (let turn = 0; turn < RESAMPLES; turn++) {
    const ratio = ratioOf(drawTimes(times, random))
    if (!Number.isNaN(ratio)) ratios.push(ratio)
  }
  ratios.sort((a, b) => a - b)
  const point = ratioOf(times.fill(1))
  const at = (share: number) => ratios[Math.min(ratios.length - 1, Math.floor(share * ratios.length))] ?? point
  return { point, low: at(0.025), high: at(0.975) }
}
