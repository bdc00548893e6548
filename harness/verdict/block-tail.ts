// Procedure C: Student's t on the logarithm of block p99s, paired. Finds large effects after a few pairs; it only ever
// says fail, because a worsening of the far tail alone escapes it.

import { studentUpperTail } from './distributions.ts'
import type { Edge } from './exceedance.ts'
import { type Descending, rankFromTop, SMALLEST_MS } from './samples.ts'

/** Consecutive pairs are merged until each arm has at least this many samples. */
const SAMPLES_AT_LEAST = 60
/** Response times are recorded at 3 significant digits: a smaller spread of logarithms is rounding, not certainty. */
const SPREAD_AT_LEAST = 0.001
const MERGED_AT_LEAST = 3
/** A t that differs from the critical one by a smaller share than this is asked for its tail itself. */
const CLOSE = 1e-6

/** Procedure C for one tenant; pairs are added in order, those left over from merging wait for the next. */
export class BlockTails {
  readonly #edge: Edge
  readonly #timeoutMs: number
  #off: Descending[] = []
  #on: Descending[] = []
  #offCount = 0
  #onCount = 0
  /** Merged pairs so far, the sum of their x, and of its square. */
  #merged = 0
  #sum = 0
  #squares = 0

  /** @param timeoutMs stands for a response that never came */
  constructor(edge: Edge, timeoutMs: number) {
    this.#edge = edge
    this.#timeoutMs = timeoutMs
  }

  /** @param on as recorded, nothing taken back */
  add(off: Descending, on: Descending): void {
    this.#off.push(off)
    this.#on.push(on)
    this.#offCount += off.length
    this.#onCount += on.length
    if (this.#offCount < SAMPLES_AT_LEAST || this.#onCount < SAMPLES_AT_LEAST) return
    const quiet = this.#tail(this.#off, this.#offCount)
    const noisy = this.#tail(this.#on, this.#onCount)
    const allowed = Math.max(this.#edge.ratio, (quiet + this.#edge.floorMs) / quiet)
    const x = Math.log(noisy) - Math.log(quiet) - Math.log(allowed)
    this.#merged++
    this.#sum += x
    this.#squares += x * x
    this.#off = []
    this.#on = []
    this.#offCount = 0
    this.#onCount = 0
  }

  /** The value of rank ⌊0.01 n⌋ + 1 from the top, milliseconds. */
  #tail(lists: readonly Descending[], count: number): number {
    const value = rankFromTop(lists, Math.floor(count / 100) + 1)
    return value === Number.POSITIVE_INFINITY ? this.#timeoutMs : Math.max(value, SMALLEST_MS)
  }

  /** P(T_{m−1} ≥ mean/(sd/√m)): small when the rise is above the edge. 1 with fewer than 3 merged pairs. */
  pAbove(): number {
    return this.#merged < MERGED_AT_LEAST ? 1 : studentUpperTail(this.#t(), this.#merged - 1)
  }

  /** Whether `pAbove` is at most `level`, 0..0.5: the same answer, by the t that has this tail wherever it is not close. */
  isAboveAt(level: number): boolean {
    if (this.#merged < MERGED_AT_LEAST || level <= 0) return false
    const t = this.#t()
    const critical = criticalT(this.#merged - 1, level)
    return Math.abs(t - critical) > CLOSE * critical ? t > critical : this.pAbove() <= level
  }

  #t(): number {
    const m = this.#merged
    const mean = this.#sum / m
    const variance = Math.max(0, (this.#squares - m * mean * mean) / (m - 1))
    const sd = Math.max(Math.sqrt(variance), SPREAD_AT_LEAST)
    return mean / (sd / Math.sqrt(m))
  }
}

const criticals = new Map<number, Map<number, number>>()

/** The t with P(T ≥ t) = level, for a level in 0..0.5, by bisection; remembered, since looks ask for the same few. */
function criticalT(freedom: number, level: number): number {
  const known = criticals.get(freedom) ?? new Map<number, number>()
  criticals.set(freedom, known)
  const before = known.get(level)
  if (before !== undefined) return before
  let low = 0
  let high = 1
  while (studentUpperTail(high, freedom) > level) high *= 2
  while (high - low > 1e-12 * high) {
    const middle = (low + high) / 2
    if (middle === low || middle === high) break
    if (studentUpperTail(middle, freedom) > level) low = middle
    else high = middle
  }
  known.set(level, high)
  return high
}
