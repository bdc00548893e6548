// The smallest rise of p99 that this run would have failed 95 times in 100, by replaying the shipped looks on its own
// placebo blocks: each drawn block is set against a neighbour whose response times were multiplied. Seeded, no clock.

import { type Random, randomFor } from '../load/random.ts'
import { DrawnWatch } from './drawn.ts'
import { decide, type InterferenceInput } from './interference.ts'
import { FIRST_LOOK, levelsFor } from './levels.ts'
import { type Descending, descendingMs, windowOf } from './samples.ts'

/** Ratios tried: a geometric grid of 5 % from 1 to 20. */
const GRID_STEP = 1.05
const LARGEST = 20
const GRID_LAST = Math.ceil(Math.log(LARGEST) / Math.log(GRID_STEP))
const SIMULATED_RUNS = 400
const DETECTED_AT_LEAST = 0.95
/** Below this many blocks there is nothing to draw neighbours from. */
const BLOCKS_AT_LEAST = 3

function ratioAt(grid: number): number {
  return Math.min(LARGEST, GRID_STEP ** grid)
}

/** One tenant's placebo blocks, ready to be drawn from. */
class Resampler {
  readonly #watch: DrawnWatch
  readonly #pairs: number
  readonly #draws: Uint32Array
  /** The simulated runs, those first that were missed at the ratio asked for before: a miss is then found early again. */
  #order = Array.from({ length: SIMULATED_RUNS }, (_, run) => run)

  constructor(blocks: Descending[], input: InterferenceInput, random: Random) {
    const largest = blocks.reduce((most, block) => Math.max(most, block.length), 0)
    this.#pairs = input.pairsPlanned
    this.#watch = new DrawnWatch(blocks, {
      objectives: input.objectives,
      levels: levelsFor(input.pairsPlanned, input.quietTenants.length),
      timeoutMs: input.timeoutMs,
      samplesAtMost: 2 * largest * input.pairsPlanned,
    })
    // Every ratio is tried on the same draws, so that a larger one is not missed by chance.
    this.#draws = new Uint32Array(2 * SIMULATED_RUNS * this.#pairs)
    for (let i = 0; i < this.#draws.length; i += 2) {
      const block = Math.floor(random() * blocks.length)
      const next = random() < 0.5 ? block - 1 : block + 1
      this.#draws[i] = block
      this.#draws[i + 1] = next < 0 ? 1 : next >= blocks.length ? blocks.length - 2 : next
    }
  }

  /** Whether at least 95 % of the simulated runs with this ratio end in fail. Asks no further than the answer needs. */
  detects(ratio: number): boolean {
    this.#watch.multiply(ratio)
    const missesAllowed = Math.floor(SIMULATED_RUNS * (1 - DETECTED_AT_LEAST) + 1e-9)
    const missed: number[] = []
    const others: number[] = []
    for (const run of this.#order) {
      const known = missed.length > missesAllowed || others.length >= SIMULATED_RUNS - missesAllowed
      if (known || this.#detectedIn(run)) others.push(run)
      else missed.push(run)
    }
    this.#order = [...missed, ...others]
    return missed.length <= missesAllowed
  }

  #detectedIn(run: number): boolean {
    const watch = this.#watch
    watch.forget()
    for (let k = 1; k <= this.#pairs; k++) {
      const at = 2 * (run * this.#pairs + k - 1)
      watch.add(this.#draws[at] ?? 0, this.#draws[at + 1] ?? 0)
      const { passes, fails } = watch.reached()
      if (passes && fails) return decide([{ passes, fails, ...watch.whole().pooled() }]) === 'fail'
      if (passes || fails) return fails
    }
    return false
  }
}

/**
 * Smallest detectable ratio of the worst quiet tenant, 1..20 in steps of 5 %. Null with fewer than 3 placebo blocks,
 * without samples, or when even a 20-fold rise would be missed too often.
 */
export function detectableRatio(input: DetectableInput): number | null {
  const grid = smallestGrid(input, GRID_LAST)
  return grid === null ? null : told(grid)
}

/** Whether `detectableRatio` is known and at most this: the same answer, without asking how much more it is. */
export function detectsAtMost(input: DetectableInput, ratio: number): boolean {
  let last = GRID_LAST
  while (last >= 0 && told(last) > ratio) last--
  return last >= 0 && smallestGrid(input, last) !== null
}

type DetectableInput = InterferenceInput & { runSeed: number }

/** As it is told: two decimals. */
const told = (grid: number) => Math.round(ratioAt(grid) * 100) / 100

/** @returns null when there is none up to `last` */
function smallestGrid(input: DetectableInput, last: number): number | null {
  if (input.pairsPlanned < FIRST_LOOK || input.quietTenants.length === 0) return null
  const placebo = input.blocks.filter((block) => block.arm === 'placebo').sort((a, b) => a.index - b.index)
  if (placebo.length < BLOCKS_AT_LEAST) return null
  let worst = 0
  for (const tenant of input.quietTenants) {
    const blocks = placebo.map((block) => {
      const window = windowOf(block, tenant)
      return descendingMs(window === undefined ? [] : [window])
    })
    const resampler = new Resampler(blocks, input, randomFor(input.runSeed, `verdict/detectable/${tenant}`))
    const found = search(resampler, worst, last)
    if (found === null) return null
    worst = found
  }
  return worst
}

/** The smallest grid point ≥ `from` that is detected, by bisection; null when it is known to lie above `last`. */
function search(resampler: Resampler, from: number, last: number): number | null {
  if (resampler.detects(ratioAt(from))) return from
  // Almost every answer lies near the lower end, so the upper end is approached by doubling.
  let low = from
  let width = 4
  let high = Math.min(GRID_LAST, from + width)
  while (!resampler.detects(ratioAt(high))) {
    if (high >= last) return null
    low = high
    width *= 2
    high = Math.min(GRID_LAST, high + width)
  }
  while (high - low > 1 && low < last) {
    const middle = (low + high) >> 1
    if (resampler.detects(ratioAt(middle))) high = middle
    else low = middle
  }
  return high <= last ? high : null
}
