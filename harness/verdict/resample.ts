// Resampling whole blocks: samples that lie together in time are drawn together, so that an interval is as wide as blocks
// differ among themselves. Sorts once; a drawing is a count for each block.

import type { Random } from '../load/random.ts'

/** Samples of several blocks, largest first, each with the block it came from. */
export interface Pooled {
  values: Float64Array
  blockOf: Int32Array
  sizes: Int32Array
}

export function pool(lists: readonly Float64Array[]): Pooled {
  const tagged = lists.flatMap((list, block) => Array.from(list, (value) => ({ value, block })))
  tagged.sort((a, b) => (a.value === b.value ? a.block - b.block : a.value < b.value ? 1 : -1))
  return {
    values: Float64Array.from(tagged, (entry) => entry.value),
    blockOf: Int32Array.from(tagged, (entry) => entry.block),
    sizes: Int32Array.from(lists, (list) => list.length),
  }
}

/** As many blocks as there are, drawn with replacement: how often each was taken. Overwrites what it is given. */
export function drawTimes(times: Int32Array<ArrayBuffer>, random: Random): Int32Array<ArrayBuffer> {
  times.fill(0)
  for (let i = 0; i < times.length; i++) {
    const drawn = Math.floor(random() * times.length)
    times[drawn] = (times[drawn] ?? 0) + 1
  }
  return times
}

/** The value with `permille`/1000 of the samples above it (rank ⌊n·permille/1000⌋ + 1 from the top) when block i is taken
 * `times[i]` times: 10 for the p99. NaN when nothing was taken. */
export function topRank(pooled: Pooled, times: Int32Array, permille: number): number {
  let count = 0
  for (let i = 0; i < times.length; i++) count += (times[i] ?? 0) * (pooled.sizes[i] ?? 0)
  const rank = Math.floor((count * permille) / 1000) + 1
  let seen = 0
  for (let i = 0; i < pooled.values.length; i++) {
    seen += times[pooled.blockOf[i] ?? 0] ?? 0
    if (seen >= rank) return pooled.values[i] ?? Number.NaN
  }
  return Number.NaN
}
