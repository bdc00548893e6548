// The smallest rise of p99 that this run would have failed 95 times in 100, by replaying the shipped looks on its own
// placebo blocks: each drawn block is set against a neighbour whose response times were multiplied. Seeded, no clock.

import { type Random, randomFor } from '../load/random.ts'
import { failEdge, passEdge, takeBack } from './exceedance.ts'
import { decide, type InterferenceInput, Watch, type WatchPlan } from './interference.ts'
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

/** One placebo block and the same block as if noise had multiplied its response times. */
interface Prepared {
  off: Descending
  on: Descending
  onAtPassEdge: Descending
  onAtFailEdge: Descending
}

/** One tenant's placebo blocks, ready to be drawn from. */
class Resampler {
  readonly #blocks: Descending[]
  readonly #plan: WatchPlan
  readonly #pairs: number
  readonly #draws: Uint32Array

  constructor(blocks: Descending[], input: InterferenceInput, random: Random) {
    const largest = blocks.reduce((most, block) => Math.max(most, block.length), 0)
    this.#blocks = blocks
    this.#pairs = input.pairsPlanned
    this.#plan = {
      objectives: input.objectives,
      levels: levelsFor(input.pairsPlanned, input.quietTenants.length),
      timeoutMs: input.timeoutMs,
      samplesAtMost: 2 * largest * input.pairsPlanned,
    }
    // Every ratio is tried on the same draws, so that a larger one is not missed by chance.
    this.#draws = new Uint32Array(2 * SIMULATED_RUNS * this.#pairs)
    for (let i = 0; i < this.#draws.length; i += 2) {
      const block = Math.floor(random() * blocks.length)
      const next = random() < 0.5 ? block - 1 : block + 1
      this.#draws[i] = block
      this.#draws[i + 1] = next < 0 ? 1 : next >= blocks.length ? blocks.length - 2 : next
    }
  }

  #prepare(ratio: number): Prepared[] {
    const { objectives } = this.#plan
    return this.#blocks.map((off) => {
      const on = off.map((y) => y * ratio)
      return {
        off,
        on,
        onAtPassEdge: takeBack(passEdge(objectives), on),
        onAtFailEdge: takeBack(failEdge(objectives), on),
      }
    })
  }

  /** Whether at least 95 % of the simulated runs with this ratio end in fail. */
  detects(ratio: number): boolean {
    const prepared = this.#prepare(ratio)
    const missesAllowed = Math.floor(SIMULATED_RUNS * (1 - DETECTED_AT_LEAST) + 1e-9)
    let misses = 0
    for (let run = 0; run < SIMULATED_RUNS; run++) {
      if (this.#detectedIn(run, prepared)) continue
      misses++
      if (misses > missesAllowed) return false
    }
    return true
  }

  #detectedIn(run: number, prepared: readonly Prepared[]): boolean {
    const watch = new Watch(this.#plan)
    for (let k = 1; k <= this.#pairs; k++) {
      const at = 2 * (run * this.#pairs + k - 1)
      const off = prepared[this.#draws[at] ?? 0]
      const on = prepared[this.#draws[at + 1] ?? 0]
      if (off === undefined || on === undefined) return false
      watch.add({ off: off.off, on: on.on, onAtPassEdge: on.onAtPassEdge, onAtFailEdge: on.onAtFailEdge })
      if (k < FIRST_LOOK) continue
      const evidence = watch.evidence()
      if (!evidence.passes && !evidence.fails) continue
      return decide([{ ...evidence, ...watch.pooled() }]) === 'fail'
    }
    return false
  }
}

/**
 * Smallest detectable ratio of the worst quiet tenant, 1..20 in steps of 5 %. Null with fewer than 3 placebo blocks,
 * without samples, or when even a 20-fold rise would be missed too often.
 */
export function detectableRatio(input: InterferenceInput & { runSeed: number }): number | null {
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
    const found = search(resampler, worst)
    if (found === null) return null
    worst = found
  }
  return Math.round(ratioAt(worst) * 100) / 100
}

/** The smallest grid point ≥ `from` that is detected, by bisection; null when the largest is not. */
function search(resampler: Resampler, from: number): number | null {
  if (resampler.detects(ratioAt(from))) return from
  // Almost every answer lies near the lower end, so the upper end is approached by doubling.
  let low = from
  let width = 4
  let high = Math.min(GRID_LAST, from + width)
  while (!resampler.detects(ratioAt(high))) {
    if (high === GRID_LAST) return null
    low = high
    width *= 2
    high = Math.min(GRID_LAST, high + width)
  }
  while (high - low > 1) {
    const middle = (low + high) >> 1
    if (resampler.detects(ratioAt(middle))) high = middle
    else low = middle
  }
  return high
}
