// A watch over pairs that are drawn from a few known blocks of one tenant, for those who ask for thousands of looks: the
// blocks' values are put in order once, and a look walks down from the largest. The same answers as `Watch`, which is the
// definition. Refuses to tell probabilities, which cost far more than whether a level is reached.

import { BlockTails } from './block-tail.ts'
import {
  type CappedDifferences,
  cappedDifferences,
  type Edge,
  failEdge,
  passEdge,
  ruleFor,
  signFlipAtMost,
  takeBack,
} from './exceedance.ts'
import { SAMPLES_FOR_PASS, type TenantLook, Watch, type WatchPlan, watchedPair } from './interference.ts'
import { FIRST_LOOK } from './levels.ts'
import type { Descending } from './samples.ts'

/** What all blocks hold, descending, each value with the block that it is of. */
interface Ordered {
  values: Descending
  blockOf: Uint32Array
}

function inOrder(blocks: readonly Descending[]): Ordered {
  const tagged = blocks.flatMap((block, at) => Array.from(block, (value) => ({ value, at })))
  tagged.sort((x, y) => (x.value === y.value ? 0 : y.value > x.value ? 1 : -1))
  return {
    values: Float64Array.from(tagged, ({ value }) => value),
    blockOf: Uint32Array.from(tagged, ({ at }) => at),
  }
}

export class DrawnWatch {
  readonly #blocks: readonly Descending[]
  readonly #plan: WatchPlan
  readonly #ordered: Ordered
  readonly #edges: Record<'pass' | 'fail', Edge>
  /** The blocks as noise would have made them; and what `#ordered` becomes then, each edge's rise taken back. */
  #slower: Descending[] = []
  #ons: Record<'pass' | 'fail', Descending>
  #tails: BlockTails
  /** Of each pair its blocks; of each block how often it was drawn, and how many of its values lie above the threshold. */
  #off: number[] = []
  #on: number[] = []
  readonly #timesOff: Uint32Array
  readonly #timesOn: Uint32Array
  readonly #aboveOff: Uint32Array
  readonly #aboveOn: Uint32Array
  #offCount = 0
  #onCount = 0

  constructor(blocks: readonly Descending[], plan: WatchPlan) {
    this.#blocks = blocks
    this.#plan = plan
    this.#ordered = inOrder(blocks)
    this.#edges = { pass: passEdge(plan.objectives), fail: failEdge(plan.objectives) }
    this.#ons = { pass: new Float64Array(), fail: new Float64Array() }
    this.#tails = new BlockTails(this.#edges.fail, plan.timeoutMs)
    this.#timesOff = new Uint32Array(blocks.length)
    this.#timesOn = new Uint32Array(blocks.length)
    this.#aboveOff = new Uint32Array(blocks.length)
    this.#aboveOn = new Uint32Array(blocks.length)
    this.multiply(1)
  }

  /** From now on noise makes every response time so many times as long; forgets its pairs. */
  multiply(ratio: number): void {
    const slower = this.#ordered.values.map((y) => y * ratio)
    this.#slower = this.#blocks.map((block) => block.map((y) => y * ratio))
    // Taking back keeps the order, so that one order serves all.
    this.#ons = { pass: takeBack(this.#edges.pass, slower), fail: takeBack(this.#edges.fail, slower) }
    this.forget()
  }

  forget(): void {
    this.#tails = new BlockTails(this.#edges.fail, this.#plan.timeoutMs)
    this.#off = []
    this.#on = []
    this.#timesOff.fill(0)
    this.#timesOn.fill(0)
    this.#offCount = 0
    this.#onCount = 0
  }

  /** A pair of two blocks, by their places. */
  add(off: number, on: number): void {
    const quiet = this.#blocks[off]
    const noisy = this.#slower[on]
    if (!quiet || !noisy) throw new Error(`no pair of the blocks ${off} and ${on}: there are ${this.#blocks.length}`)
    this.#tails.add(quiet, noisy)
    this.#off.push(off)
    this.#on.push(on)
    this.#timesOff[off] = (this.#timesOff[off] ?? 0) + 1
    this.#timesOn[on] = (this.#timesOn[on] ?? 0) + 1
    this.#offCount += quiet.length
    this.#onCount += noisy.length
  }

  /** Whether the pairs so far reach this look's levels. */
  reached(): Pick<TenantLook, 'passes' | 'fails'> {
    const k = this.#off.length
    if (k < FIRST_LOOK) return { passes: false, fails: false }
    const { pass, failExceedance, failTail } = this.#plan.levels
    const enough = Math.min(this.#offCount, this.#onCount) >= SAMPLES_FOR_PASS
    return {
      passes: enough && this.#signsAtMost('pass', pass[k] ?? 0),
      fails: this.#tails.isAboveAt(failTail[k] ?? 0) || this.#signsAtMost('fail', failExceedance[k] ?? 0),
    }
  }

  /** The same pairs, watched as the definition says. */
  whole(): Watch {
    const watch = new Watch(this.#plan)
    for (const [i, off] of this.#off.entries()) {
      const on = this.#slower[this.#on[i] ?? 0] ?? new Float64Array()
      watch.add(watchedPair(this.#plan.objectives, this.#blocks[off] ?? new Float64Array(), on))
    }
    return watch
  }

  #signsAtMost(side: 'pass' | 'fail', level: number): boolean {
    // All signs alike is one case of 2^k at best: no p is smaller, and there is nothing to count.
    if (2 ** -this.#off.length > level) return false
    const { sum, ones, twos } = this.#differences(side)
    return signFlipAtMost(ones, twos, side === 'pass' ? sum : -sum) <= level
  }

  #differences(side: 'pass' | 'fail'): CappedDifferences {
    const { cap, oneIn } = ruleFor(this.#edges[side])
    this.#countAbove(this.#ons[side], this.#threshold(this.#ons[side], oneIn))
    return cappedDifferences(this.#off.length, cap, (i) => {
      return (this.#aboveOn[this.#on[i] ?? 0] ?? 0) - (this.#aboveOff[this.#off[i] ?? 0] ?? 0)
    })
  }

  /** The (K+1)-th largest of all that was drawn. */
  #threshold(ons: Descending, oneIn: number): number {
    const { values, blockOf } = this.#ordered
    const k = Math.ceil((this.#offCount + this.#onCount) / oneIn)
    const timesOff = this.#timesOff
    const timesOn = this.#timesOn
    let i = 0
    let j = 0
    let taken = 0
    while (i < values.length || j < ons.length) {
      const off = values[i] ?? Number.NEGATIVE_INFINITY
      const on = ons[j] ?? Number.NEGATIVE_INFINITY
      taken += off >= on ? (timesOff[blockOf[i++] ?? 0] ?? 0) : (timesOn[blockOf[j++] ?? 0] ?? 0)
      if (taken > k) return Math.max(off, on)
    }
    return 0
  }

  #countAbove(ons: Descending, u: number): void {
    const { values, blockOf } = this.#ordered
    this.#aboveOff.fill(0)
    this.#aboveOn.fill(0)
    for (let i = 0; (values[i] ?? Number.NEGATIVE_INFINITY) > u; i++) {
      const block = blockOf[i] ?? 0
      this.#aboveOff[block] = (this.#aboveOff[block] ?? 0) + 1
    }
    for (let j = 0; (ons[j] ?? Number.NEGATIVE_INFINITY) > u; j++) {
      const block = blockOf[j] ?? 0
      this.#aboveOn[block] = (this.#aboveOn[block] ?? 0) + 1
    }
  }
}
