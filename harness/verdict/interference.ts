// One look at the pairs so far, over all quiet tenants: pass, fail, or go on. The run loop asks after every pair and
// the judge asks again afterwards; both get the same answer, because a look is a function of the evidence alone.

import type { Objectives } from '../evidence/types.ts'
import type { Outcome } from '../evidence/verdict.ts'
import { BlockTails } from './block-tail.ts'
import { Exceedances, failEdge, passEdge, takeBack } from './exceedance.ts'
import { FIRST_LOOK, type Levels, levelsFor } from './levels.ts'
import { completePairs, type Descending, pairSamples, rankFromTop, SMALLEST_MS } from './samples.ts'
import type { JudgeInput } from './types.ts'

/** A pass wants this many samples in each arm of each tenant. */
export const SAMPLES_FOR_PASS = 400

export type InterferenceInput = Pick<
  JudgeInput,
  'quietTenants' | 'objectives' | 'pairsPlanned' | 'blocks' | 'timeoutMs'
>

/** What one tenant's samples say at one look. */
export interface TenantLook {
  tenant: string
  /** This tenant alone: evidence of a rise below the pass edge, above the fail edge, or neither. */
  passes: boolean
  fails: boolean
  /** Probabilities of the evidence at the edge, 0..1: exceedances below, exceedances above, block tails above. */
  pBelow: number
  pAbove: number
  pTail: number
  /** Pooled p99 under noise over that under placebo, over the pairs seen. */
  pooledRatio: number
  /** The largest ratio allowed at the limit itself; above the stated one only when a floor applies. */
  allowedRatio: number
  samples: { placebo: number; noise: number }
}

export interface Look {
  /** Number of complete pairs seen. */
  pair: number
  outcome: Outcome
  tenants: TenantLook[]
}

/** What every watch of a run shares. */
export interface WatchPlan {
  objectives: Objectives
  levels: Levels
  timeoutMs: number
  /** Both arms of one tenant, over all pairs. */
  samplesAtMost: number
}

/** A pair as a watch takes it: response times under noise as recorded, and with each edge's rise taken back. */
export interface WatchedPair {
  off: Descending
  on: Descending
  onAtPassEdge: Descending
  onAtFailEdge: Descending
}

/** @param on as recorded */
export function watchedPair(objectives: Objectives, off: Descending, on: Descending): WatchedPair {
  const [below, above] = [passEdge(objectives), failEdge(objectives)]
  return { off, on, onAtPassEdge: takeBack(below, on), onAtFailEdge: takeBack(above, on) }
}

/** Whether probabilities reach the levels of the look after pair k; none does before the first look. */
export function reached(
  { pBelow, pAbove, pTail }: Pick<TenantLook, 'pBelow' | 'pAbove' | 'pTail'>,
  { placebo, noise }: TenantLook['samples'],
  levels: Levels,
  k: number,
): Pick<TenantLook, 'passes' | 'fails'> {
  if (k < FIRST_LOOK) return { passes: false, fails: false }
  return {
    passes: Math.min(placebo, noise) >= SAMPLES_FOR_PASS && pBelow <= (levels.pass[k] ?? 0),
    fails: pTail <= (levels.failTail[k] ?? 0) || pAbove <= (levels.failExceedance[k] ?? 0),
  }
}

/** One tenant's two procedures, fed pair by pair. */
export class Watch {
  readonly #plan: WatchPlan
  readonly #below: Exceedances
  readonly #above: Exceedances
  readonly #tails: BlockTails
  readonly #off: Descending[] = []
  readonly #on: Descending[] = []
  #offCount = 0
  #onCount = 0

  constructor(plan: WatchPlan) {
    const above = failEdge(plan.objectives)
    this.#plan = plan
    this.#below = new Exceedances(passEdge(plan.objectives), plan.samplesAtMost)
    this.#above = new Exceedances(above, plan.samplesAtMost)
    this.#tails = new BlockTails(above, plan.timeoutMs)
  }

  add(pair: WatchedPair): void {
    this.#below.add(pair.off, pair.onAtPassEdge)
    this.#above.add(pair.off, pair.onAtFailEdge)
    this.#tails.add(pair.off, pair.on)
    this.#off.push(pair.off)
    this.#on.push(pair.on)
    this.#offCount += pair.off.length
    this.#onCount += pair.on.length
  }

  get pairs(): number {
    return this.#off.length
  }

  get samples(): { placebo: number; noise: number } {
    return { placebo: this.#offCount, noise: this.#onCount }
  }

  probabilities(): Pick<TenantLook, 'pBelow' | 'pAbove' | 'pTail'> {
    return { pBelow: this.#below.pBelow(), pAbove: this.#above.pAbove(), pTail: this.#tails.pAbove() }
  }

  /** The three probabilities, and whether they reach this look's levels. */
  evidence(): Pick<TenantLook, 'passes' | 'fails' | 'pBelow' | 'pAbove' | 'pTail'> {
    const seen = this.probabilities()
    return { ...reached(seen, this.samples, this.#plan.levels, this.pairs), ...seen }
  }

  /** Pooled p99 ratio beside the ratio that the limit (or its floor) allows. */
  pooled(): Pick<TenantLook, 'pooledRatio' | 'allowedRatio'> {
    const { interferenceRatio, interferenceFloorMs } = this.#plan.objectives
    const off = this.#p99(this.#off, this.#offCount)
    const on = this.#p99(this.#on, this.#onCount)
    return { pooledRatio: on / off, allowedRatio: Math.max(interferenceRatio, (off + interferenceFloorMs) / off) }
  }

  #p99(lists: readonly Descending[], count: number): number {
    const value = rankFromTop(lists, Math.floor(count / 100) + 1)
    return value === Number.POSITIVE_INFINITY ? this.#plan.timeoutMs : Math.max(value, SMALLEST_MS)
  }
}

/** Fed with every pair of the run in turn; answers a look after each. */
class AllTenants {
  readonly #watches: Array<{ tenant: string; watch: Watch }>

  constructor(tenants: readonly string[], plan: WatchPlan) {
    this.#watches = tenants.map((tenant) => ({ tenant, watch: new Watch(plan) }))
  }

  add(pairOf: (tenant: string) => WatchedPair): void {
    for (const { tenant, watch } of this.#watches) watch.add(pairOf(tenant))
  }

  look(pair: number): Look {
    const tenants = this.#watches.map(({ tenant, watch }) => ({
      tenant,
      ...watch.evidence(),
      ...watch.pooled(),
      samples: watch.samples,
    }))
    return { pair, outcome: decide(tenants), tenants }
  }
}

/** Pass needs every tenant, fail needs one; when evidence says both, the pooled p99 of the worst tenant decides. */
export function decide(
  tenants: ReadonlyArray<Pick<TenantLook, 'passes' | 'fails' | 'pooledRatio' | 'allowedRatio'>>,
): Outcome {
  const pass = tenants.length > 0 && tenants.every((tenant) => tenant.passes)
  const fail = tenants.some((tenant) => tenant.fails)
  if (pass && fail) return tenants.every((tenant) => tenant.pooledRatio <= tenant.allowedRatio) ? 'pass' : 'fail'
  if (fail) return 'fail'
  return pass ? 'pass' : 'inconclusive'
}

/** Looks after the pairs `from`..`to` in turn. */
export function* looks(input: InterferenceInput, from: number, to: number): Generator<Look> {
  if (input.pairsPlanned < FIRST_LOOK || input.quietTenants.length === 0) return
  const pairs = completePairs(input.blocks, input.pairsPlanned).slice(0, to)
  const samples = pairs.map((pair) => new Map(input.quietTenants.map((tenant) => [tenant, pairSamples(pair, tenant)])))
  const samplesAtMost = Math.max(
    ...input.quietTenants.map((tenant) =>
      samples.reduce((sum, pair) => sum + (pair.get(tenant)?.off.length ?? 0) + (pair.get(tenant)?.on.length ?? 0), 0),
    ),
  )
  const levels = levelsFor(input.pairsPlanned, input.quietTenants.length)
  const plan = { objectives: input.objectives, levels, timeoutMs: input.timeoutMs, samplesAtMost }
  const all = new AllTenants(input.quietTenants, plan)
  for (const [index, pair] of samples.entries()) {
    all.add((tenant) => {
      const { off, on } = pair.get(tenant) ?? { off: new Float64Array(), on: new Float64Array() }
      return watchedPair(input.objectives, off, on)
    })
    if (index + 1 >= from) yield all.look(index + 1)
  }
}

/**
 * The look after the k-th complete pair, whether or not an earlier one decided.
 * Inconclusive, without tenants, when there are fewer than k complete pairs or k is below 3.
 */
export function lookAt(input: InterferenceInput, k: number): Look {
  for (const look of looks(input, Math.max(k, FIRST_LOOK), k)) return look
  return { pair: k, outcome: 'inconclusive', tenants: [] }
}
