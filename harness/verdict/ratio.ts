// The pooled p99 ratio noise/placebo of one tenant with an interval from resampled pairs. It informs; it never decides.

import type { Interval } from '../evidence/verdict.ts'
import { randomFor } from '../load/random.ts'
import { type PairSamples, SMALLEST_MS } from './samples.ts'

const RESAMPLES = 1000

/** One arm's samples over all pairs, largest first, each with the pair it came from. */
interface Pooled {
  values: Float64Array
  pairOf: Int32Array
  sizes: Int32Array
}

function pool(lists: readonly Float64Array[]): Pooled {
  const tagged = lists.flatMap((list, pair) => Array.from(list, (value) => ({ value, pair })))
  tagged.sort((a, b) => (a.value === b.value ? a.pair - b.pair : a.value < b.value ? 1 : -1))
  return {
    values: Float64Array.from(tagged, (entry) => entry.value),
    pairOf: Int32Array.from(tagged, (entry) => entry.pair),
    sizes: Int32Array.from(lists, (list) => list.length),
  }
}

/** p99 (rank ⌊0.01 n⌋ + 1 from the top) when pair i is taken `times[i]` times. NaN when nothing was taken. */
function p99(pooled: Pooled, times: Int32Array): number {
  let count = 0
  for (let i = 0; i < times.length; i++) count += (times[i] ?? 0) * (pooled.sizes[i] ?? 0)
  const rank = Math.floor(count / 100) + 1
  let seen = 0
  for (let i = 0; i < pooled.values.length; i++) {
    seen += times[pooled.pairOf[i] ?? 0] ?? 0
    if (seen >= rank) return pooled.values[i] ?? Number.NaN
  }
  return Number.NaN
}

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
  const ratioOf = (times: Int32Array) => finite(p99(on, times)) / finite(p99(off, times))
  const random = randomFor(options.runSeed, `verdict/ratio/${options.tenant}`)
  const ratios: number[] = []
  const times = new Int32Array(pairs.length)
  for (let turn = 0; turn < RESAMPLES; turn++) {
    times.fill(0)
    for (let i = 0; i < pairs.length; i++) {
      const drawn = Math.floor(random() * pairs.length)
      times[drawn] = (times[drawn] ?? 0) + 1
    }
    const ratio = ratioOf(times)
    if (!Number.isNaN(ratio)) ratios.push(ratio)
  }
  ratios.sort((a, b) => a - b)
  const point = ratioOf(times.fill(1))
  const at = (share: number) => ratios[Math.min(ratios.length - 1, Math.floor(share * ratios.length))] ?? point
  return { point, low: at(0.025), high: at(0.975) }
}
