// Procedure X: do blocks under noise, after taking back the allowed rise, exceed a common threshold more often than
// their partners? An exact sign-flip test on counts capped per pair, so that one stall of the machine cannot decide.

import type { Objectives } from '../evidence/types.ts'
import type { Descending } from './samples.ts'

/** A rise to test against: the ratio θ and the absolute floor δ in milliseconds (0 for none). */
export interface Edge {
  ratio: number
  floorMs: number
}

/** Above this multiple of the limit there must be no pass; below the other, no fail. Between them lies indifference. */
const PASS_EDGE = 1.3
const FAIL_EDGE = 0.8
/** Up to the first limit a pass is evidence against the limit itself, from the second on against 1.3 times it. */
const TIGHT = 1.3
const WIDE = 1.5

function edgeAt(objectives: Objectives, multiple: number): Edge {
  return { ratio: multiple * objectives.interferenceRatio, floorMs: multiple * objectives.interferenceFloorMs }
}

/**
 * The rise that a pass is evidence against. Whoever asks for a limit below 1.3 cares about a rise of 30 %, which must then
 * never pass; the price is that such a limit wants more pairs. Between 1.3 and 1.5 the multiple grows with the limit.
 */
export function passEdge(objectives: Objectives): Edge {
  const grown = Math.min(1, Math.max(0, (objectives.interferenceRatio - TIGHT) / (WIDE - TIGHT)))
  return edgeAt(objectives, 1 + (PASS_EDGE - 1) * grown)
}

/** The rise that a fail is evidence for. */
export const failEdge = (objectives: Objectives): Edge => edgeAt(objectives, FAIL_EDGE)

/** Response times under noise with the rise taken back: min(y/θ, y−δ), or y/θ without a floor. Keeps the order. */
export function takeBack(edge: Edge, values: Descending): Descending {
  if (edge.floorMs > 0) return values.map((y) => Math.min(y / edge.ratio, y - edge.floorMs))
  return values.map((y) => y / edge.ratio)
}

export interface ExceedanceRule {
  /** A pair counts for at most this many exceedances. */
  cap: 1 | 2
  /** One in so many pooled samples lies above the threshold, rounded up. */
  oneIn: number
}

/** As chosen by simulation: 1.25 % above the threshold, or 1 % with a floor. */
export const ruleFor = (edge: Edge): ExceedanceRule => ({ cap: 2, oneIn: edge.floorMs > 0 ? 100 : 80 })

/** Procedure X for one tenant and one edge; pairs are added in order. */
export class Exceedances {
  readonly #rule: ExceedanceRule
  /** The largest pooled values so far, descending; enough of them for the last look. */
  readonly #top: Float64Array
  #kept = 0
  #samples = 0
  readonly #off: Descending[] = []
  readonly #on: Descending[] = []

  /** @param samplesAtMost both arms together, over all pairs that will be added */
  constructor(edge: Edge, samplesAtMost: number, rule: ExceedanceRule = ruleFor(edge)) {
    this.#rule = rule
    this.#top = new Float64Array(Math.ceil(samplesAtMost / rule.oneIn) + 1)
  }

  /** @param on with the rise already taken back */
  add(off: Descending, on: Descending): void {
    this.#samples += off.length + on.length
    this.#off.push(off)
    this.#on.push(on)
    this.#keep(off)
    this.#keep(on)
  }

  #keep(values: Descending): void {
    const top = this.#top
    for (const value of values) {
      if (this.#kept === top.length && value <= (top[top.length - 1] ?? 0)) return
      let at = Math.min(this.#kept, top.length - 1)
      while (at > 0 && (top[at - 1] ?? 0) < value) {
        top[at] = top[at - 1] ?? 0
        at--
      }
      top[at] = value
      if (this.#kept < top.length) this.#kept++
    }
  }

  /** The (K+1)-th largest of the pool: K values at most lie strictly above it. */
  threshold(): number {
    return this.#top[Math.ceil(this.#samples / this.#rule.oneIn)] ?? 0
  }

  #differences(): CappedDifferences {
    const u = this.threshold()
    return cappedDifferences(this.#off.length, this.#rule.cap, (i) => above(this.#on[i], u) - above(this.#off[i], u))
  }

  /** P(S* ≤ S): small when the rise is below the edge. 1 without samples. */
  pBelow(): number {
    const { sum, ones, twos } = this.#differences()
    return signFlipAtMost(ones, twos, sum)
  }

  /** P(S* ≥ S): small when the rise is above the edge. 1 without samples. */
  pAbove(): number {
    const { sum, ones, twos } = this.#differences()
    return signFlipAtMost(ones, twos, -sum)
  }
}

/** Capped differences of exceedance counts: their sum, and how many are ±1 and ±2. */
export interface CappedDifferences {
  sum: number
  ones: number
  twos: number
}

/** @param difference of the i-th pair, before it is capped */
export function cappedDifferences(
  pairs: number,
  cap: ExceedanceRule['cap'],
  difference: (i: number) => number,
): CappedDifferences {
  let sum = 0
  let ones = 0
  let twos = 0
  for (let i = 0; i < pairs; i++) {
    const d = difference(i)
    if (d === 0) continue
    if (cap === 1 || d === 1 || d === -1) ones++
    else twos++
    sum += Math.max(-cap, Math.min(cap, d))
  }
  return { sum, ones, twos }
}

function above(values: Descending | undefined, u: number): number {
  let count = 0
  while ((values?.[count] ?? Number.NEGATIVE_INFINITY) > u) count++
  return count
}

/** P(sum of `ones` fair ±1 and `twos` fair ±2 ≤ sum), exact: its distribution by repeated convolution, remembered. */
export function signFlipAtMost(ones: number, twos: number, sum: number): number {
  const most = ones + 2 * twos
  if (sum >= most) return 1
  if (sum < -most) return 0
  return cumulative(ones, twos)[sum + most] ?? 1
}

const tables = new Map<number, Float64Array>()

/** Entry s + ones + 2·twos is P(S* ≤ s). */
function cumulative(ones: number, twos: number): Float64Array {
  const key = ones * 65_536 + twos
  const cached = tables.get(key)
  if (cached !== undefined) return cached
  let distribution = Float64Array.of(1)
  const flip = (size: number) => {
    const wider = new Float64Array(distribution.length + 2 * size)
    for (let i = 0; i < distribution.length; i++) {
      const half = (distribution[i] ?? 0) / 2
      wider[i] = (wider[i] ?? 0) + half
      wider[i + 2 * size] = (wider[i + 2 * size] ?? 0) + half
    }
    distribution = wider
  }
  for (let i = 0; i < ones; i++) flip(1)
  for (let i = 0; i < twos; i++) flip(2)
  for (let i = 1; i < distribution.length; i++) distribution[i] = (distribution[i] ?? 0) + (distribution[i - 1] ?? 0)
  tables.set(key, distribution)
  return distribution
}
