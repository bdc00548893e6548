// The interference procedure with its parts exchangeable, written again for the simulation alone: slower than what ships, and
// open where that is fixed. Refuses absolute floors, which no challenger is tried with.

import type { Outcome } from '../../harness/evidence/verdict.ts'
import { randomFor } from '../../harness/load/random.ts'
import { studentUpperTail } from '../../harness/verdict/distributions.ts'
import { failEdge, passEdge } from '../../harness/verdict/exceedance.ts'
import { decide } from '../../harness/verdict/interference.ts'
import { FIRST_LOOK, levelsFor } from '../../harness/verdict/levels.ts'
import { completePairs, type Descending, pairSamples, rankFromTop } from '../../harness/verdict/samples.ts'
import type { JudgeInput } from '../../harness/verdict/types.ts'

interface Rule {
  /** A pair counts for at most this many exceedances. */
  cap: number
  /** One in so many pooled samples lies above the threshold. */
  oneIn: number
}

export interface Challenger {
  /** Each of them must find evidence of a smaller rise for a pass. */
  below: readonly Rule[]
  above: Rule
  /** How a fail by exceedances allows for the number of tenants. */
  tenants: 'Bonferroni' | 'max-T'
  /** Degrees of freedom that the tenants' common spread of block p99s lends to each; none where it is left out. */
  shrinkFreedom?: number
}

const SAMPLES_FOR_PASS = 400
const FLIPS = 20_000

/** One tenant's pairs so far. */
interface Seen {
  off: Descending[]
  onPass: Descending[]
  onFail: Descending[]
  samples: { off: number; on: number }
  /** Logarithms of block p99 ratios above the fail edge. */
  tails: number[]
}

/** Capped differences of exceedance counts, pair by pair. */
function differences({ cap, oneIn }: Rule, off: readonly Descending[], on: readonly Descending[]): number[] {
  const samples = [...off, ...on].reduce((sum, list) => sum + list.length, 0)
  const u = rankFromTop([...off, ...on], Math.ceil(samples / oneIn) + 1)
  const above = (list: Descending | undefined) => {
    let count = 0
    while ((list?.[count] ?? Number.NEGATIVE_INFINITY) > u) count++
    return count
  }
  return off.map((list, i) => Math.max(-cap, Math.min(cap, above(on[i]) - above(list))))
}

/** P(S* ≤ sum of d) when each sign is a fair coin; exact. */
function signFlip(d: readonly number[]): number {
  const most = d.reduce((sum, x) => sum + Math.abs(x), 0)
  let chances = Float64Array.of(1)
  for (const x of d) {
    if (x === 0) continue
    const wider = new Float64Array(chances.length + 2 * Math.abs(x))
    for (let i = 0; i < chances.length; i++) {
      const half = (chances[i] ?? 0) / 2
      wider[i] = (wider[i] ?? 0) + half
      wider[i + 2 * Math.abs(x)] = (wider[i + 2 * Math.abs(x)] ?? 0) + half
    }
    chances = wider
  }
  const sum = d.reduce((total, x) => total + x, 0)
  let p = 0
  for (let i = 0; i <= sum + most; i++) p += chances[i] ?? 0
  return p
}

/** P(the largest of the tenants' standardised sums is as large as seen) when a pair's sign is one coin for all tenants. */
function maxT(all: ReadonlyArray<readonly number[]>, runSeed: number): number {
  const sizes = all.map((d) => Math.sqrt(d.reduce((sum, x) => sum + x * x, 0)) || 1)
  const largest = (sign: readonly number[]) =>
    Math.max(...all.map((d, q) => d.reduce((sum, x, i) => sum + x * (sign[i] ?? 1), 0) / (sizes[q] ?? 1)))
  const pairs = all[0]?.length ?? 0
  const seen = largest(Array(pairs).fill(1))
  const random = randomFor(runSeed, 'max-T')
  let asLarge = 0
  for (let flip = 0; flip < FLIPS; flip++) {
    const sign = Array.from({ length: pairs }, () => (random() < 0.5 ? -1 : 1))
    if (largest(sign) >= seen - 1e-9) asLarge++
  }
  return asLarge / FLIPS
}

const squares = (x: readonly number[]) => {
  const mean = x.reduce((sum, v) => sum + v, 0) / x.length
  return { mean, sum: x.reduce((sum, v) => sum + (v - mean) ** 2, 0) }
}

/** Student's t on block p99s, each tenant's spread drawn towards the common one. */
function tailsAbove(all: readonly Seen[], at: number, lent: number): number {
  const mine = all[at]?.tails ?? []
  if (mine.length < 3) return 1
  const own = squares(mine)
  const common =
    all.reduce((sum, { tails }) => sum + squares(tails).sum, 0) / all.reduce((n, { tails }) => n + tails.length - 1, 0)
  const freedom = mine.length - 1 + lent
  const sd = Math.max(0.001, Math.sqrt((own.sum + lent * common) / freedom))
  return studentUpperTail(own.mean / (sd / Math.sqrt(mine.length)), freedom)
}

const p99 = (list: Descending) => rankFromTop([list], Math.floor(list.length / 100) + 1)

export function challenged(challenger: Challenger, input: JudgeInput): Outcome {
  const { objectives, quietTenants, pairsPlanned, runSeed } = input
  const edges = { pass: passEdge(objectives).ratio, fail: failEdge(objectives).ratio }
  const levels = levelsFor(pairsPlanned, quietTenants.length)
  const alone = levelsFor(pairsPlanned, 1).failExceedance
  const all = quietTenants.map((): Seen => {
    return { off: [], onPass: [], onFail: [], samples: { off: 0, on: 0 }, tails: [] }
  })
  for (const [index, pair] of completePairs(input.blocks, pairsPlanned).entries()) {
    for (const [q, tenant] of quietTenants.entries()) {
      const { off, on } = pairSamples(pair, tenant)
      const seen = all[q]
      if (!seen) continue
      seen.off.push(off)
      seen.onPass.push(on.map((y) => y / edges.pass))
      seen.onFail.push(on.map((y) => y / edges.fail))
      seen.samples.off += off.length
      seen.samples.on += on.length
      seen.tails.push(Math.log(p99(on)) - Math.log(p99(off)) - Math.log(edges.fail))
    }
    const k = index + 1
    if (k < FIRST_LOOK) continue
    const reachable = (level: number) => 2 ** -k <= level
    const [a, b, b1, c] = [levels.pass, levels.failExceedance, alone, levels.failTail].map((level) => level[k] ?? 0)
    const above = all.map(({ off, onFail }) =>
      reachable(b1 ?? 0) ? differences(challenger.above, off, onFail).map((d) => -d) : [],
    )
    const pAbove = above.map((d) => (d.length === 0 ? 1 : signFlip(d)))
    const least = Math.min(...pAbove)
    // The joint p lies between the least and so many times it: only there must it be asked for.
    const joint =
      challenger.tenants === 'max-T' && least > (b ?? 0) && least <= (b1 ?? 0)
        ? maxT(
            above.map((d) => d.map((x) => -x)),
            runSeed,
          ) <= (b1 ?? 0)
        : false
    const tenants = all.map((seen, q) => {
      const byTails = tailsAbove(all, q, challenger.shrinkFreedom ?? 0) <= (c ?? 0)
      const byExceedances = (pAbove[q] ?? 1) <= (b ?? 0) || (joint && pAbove[q] === least)
      const enough = Math.min(seen.samples.off, seen.samples.on) >= SAMPLES_FOR_PASS
      const passes =
        enough &&
        reachable(a ?? 0) &&
        challenger.below.every((rule) => signFlip(differences(rule, seen.off, seen.onPass)) <= (a ?? 0))
      const pooled = (lists: readonly Descending[], n: number) => rankFromTop(lists, Math.floor(n / 100) + 1)
      const fails = byTails || byExceedances
      const pooledRatio =
        fails && passes ? (edges.fail * pooled(seen.onFail, seen.samples.on)) / pooled(seen.off, seen.samples.off) : 0
      return { passes, fails, pooledRatio, allowedRatio: objectives.interferenceRatio }
    })
    const outcome = decide(tenants)
    if (outcome !== 'inconclusive') return outcome
  }
  return 'inconclusive'
}
