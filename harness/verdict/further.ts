// What would have decided the interference that a run left undecided: how many pairs, by resampling its own pairs, and which
// limit, by looking at them again. Seeded by the run seed, no clock. For planning: it decides nothing.

import type { Outcome } from '../evidence/verdict.ts'
import { randomFor } from '../load/random.ts'
import {
  decide,
  type InterferenceInput,
  lookAt,
  reached,
  Watch,
  type WatchedPair,
  watchedPair,
} from './interference.ts'
import { FIRST_LOOK, levelsFor } from './levels.ts'
import { PROBABILITIES } from './needed.ts'
import { completePairs, pairSamples } from './samples.ts'

export interface Further {
  /** Pairs of a plan that would have been enough, those of this run included; null where the largest tried is not. */
  plan: { pairs: number; decided: number; mostly: Outcome } | null
  /** The largest plan tried, pairs, and its share of resampled runs that were decided, 0..1. */
  largest: { pairs: number; decided: number }
  resampled: number
}

/** Plans tried, as multiples of the planned pairs. */
const MULTIPLES = [1, 1.5, 2, 3, 4]
/** As many as a scenario may plan. */
const PAIRS_AT_MOST = 200
/** Looks of a resampled run, as shares of its plan: fewer than a run takes, so that the estimate is rather too high. */
const LOOKS_AT = [0.5, 0.75, 1]
/** Pairs of one tenant that may be weighed in all: about a third of a second. */
const WORK = 40_000
const RUNS = { least: 20, most: 100 }

type Seeded = InterferenceInput & { runSeed: number }

/** Pairs of this run, all tenants of a pair together, so that what hits them together stays together. */
function preparedPairs(input: InterferenceInput): WatchedPair[][] {
  return completePairs(input.blocks, input.pairsPlanned).map((pair) =>
    input.quietTenants.map((tenant) => {
      const { off, on } = pairSamples(pair, tenant)
      return watchedPair(input.objectives, off, on)
    }),
  )
}

/**
 * Share of resampled runs that a plan of so many pairs decides, plan by plan, until 95 in 100 do. The levels of a larger plan
 * are taken from this one's at the same share of the plan: O'Brien and Fleming's boundary hardly moves with the number of
 * looks. Null with fewer than 3 complete pairs, which say nothing of how pairs differ.
 */
export function furtherPairs(input: Seeded): Further | null {
  const pairs = preparedPairs(input)
  if (pairs.length < FIRST_LOOK || input.pairsPlanned < FIRST_LOOK || input.quietTenants.length === 0) return null
  const plans = MULTIPLES.map((times) => Math.min(PAIRS_AT_MOST, Math.ceil(times * input.pairsPlanned))).filter(
    (plan, i, all) => plan > pairs.length && plan !== all[i - 1],
  )
  const most = plans.at(-1) ?? 0
  const runs = Math.max(RUNS.least, Math.min(RUNS.most, Math.floor(WORK / (most * input.quietTenants.length))))
  const counted = plans.map((plan) => ({ pairs: plan, pass: 0, fail: 0 }))
  const random = randomFor(input.runSeed, 'verdict/further')
  for (let run = 0; run < runs; run++) {
    const drawn = Array.from({ length: most }, () => pairs[Math.floor(random() * pairs.length)] ?? [])
    replayPlans(input, drawn, plans).forEach((outcome, i) => {
      const count = counted[i]
      if (count !== undefined && outcome !== 'inconclusive') count[outcome]++
    })
  }
  const shares = counted.map(({ pairs, pass, fail }) => {
    return { pairs, decided: (pass + fail) / runs, mostly: pass >= fail ? ('pass' as const) : ('fail' as const) }
  })
  const plan = PROBABILITIES.map((p) => shares.find(({ decided }) => decided >= p)).find((found) => found !== undefined)
  const { pairs: largest = pairs.length, decided = 0 } = shares.at(-1) ?? {}
  return { plan: plan ?? null, largest: { pairs: largest, decided }, resampled: runs }
}

/** How each plan ends on the same drawn pairs: the first look that decides, or undecided. */
function replayPlans(input: Seeded, drawn: readonly WatchedPair[][], plans: readonly number[]): Outcome[] {
  const { objectives, timeoutMs, pairsPlanned } = input
  const levels = levelsFor(pairsPlanned, input.quietTenants.length)
  const largest = drawn.reduce((sum, pair) => sum + Math.max(...pair.map(({ off, on }) => off.length + on.length)), 0)
  const watches = input.quietTenants.map(() => new Watch({ objectives, levels, timeoutMs, samplesAtMost: largest }))
  const outcomes = plans.map((): Outcome => 'inconclusive')
  for (const [index, pair] of drawn.entries()) {
    watches.forEach((watch, i) => {
      const own = pair[i]
      if (own !== undefined) watch.add(own)
    })
    const k = index + 1
    const asking = plans.flatMap((plan, i) => (LOOKS_AT.some((at) => Math.ceil(at * plan) === k) ? [{ plan, i }] : []))
    if (asking.every(({ i }) => outcomes[i] !== 'inconclusive')) continue
    const seen = watches.map((watch) => ({ ...watch.probabilities(), samples: watch.samples, ...watch.pooled() }))
    for (const { plan, i } of asking) {
      if (outcomes[i] !== 'inconclusive') continue
      const at = Math.max(FIRST_LOOK, Math.floor((k / plan) * pairsPlanned))
      outcomes[i] = decide(seen.map((tenant) => ({ ...tenant, ...reached(tenant, tenant.samples, levels, at) })))
    }
  }
  return outcomes
}

/** Limits tried: in steps of 5 %, from what a scenario may ask for at least to what it may at most. */
const LIMIT_STEP = 1.05
const [LIMIT_LEAST, LIMIT_MOST] = [1.25, 20]

/** The limits at which this run's own pairs would have been decided: passed from one on, failed up to the other. */
export interface DecidingLimits {
  passedFrom: number | null
  failedUpTo: number | null
}

/** By bisection over limits that the last look of this plan would have decided. @param pair of the last look */
export function decidingLimits(input: InterferenceInput, pair: number): DecidingLimits {
  const { objectives } = input
  const outcomeAt = (interferenceRatio: number) =>
    lookAt({ ...input, objectives: { ...objectives, interferenceRatio } }, pair).outcome
  const stepsTo = (limit: number) =>
    Math.floor(Math.abs(Math.log(limit / objectives.interferenceRatio) / Math.log(LIMIT_STEP)))
  const first = (steps: number, direction: 1 | -1, wanted: Outcome) => {
    const limitAt = (step: number) => objectives.interferenceRatio * LIMIT_STEP ** (direction * step)
    let [low, high] = [0, steps + 1]
    while (high - low > 1) {
      const middle = (low + high) >> 1
      if (outcomeAt(limitAt(middle)) === wanted) high = middle
      else low = middle
    }
    return high > steps ? null : limitAt(high)
  }
  return {
    passedFrom: first(stepsTo(LIMIT_MOST), 1, 'pass'),
    failedUpTo: objectives.interferenceRatio <= LIMIT_LEAST ? null : first(stepsTo(LIMIT_LEAST), -1, 'fail'),
  }
}
