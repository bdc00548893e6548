// One quiet tenant's part of the verdict: SLO, success ratio and interference, each with its numbers.

import type { Block } from '../evidence/types.ts'
import type { Outcome, TenantVerdict } from '../evidence/verdict.ts'
import type { Look, TenantLook } from './interference.ts'
import { pooledRatio } from './ratio.ts'
import { armMs, armWindows, completePairs, type Descending, pairSamples, quantileMs } from './samples.ts'
import { judgeSlo, type SloResult } from './slo.ts'
import { judgeSuccess, type SuccessResult } from './success.ts'
import type { JudgeInput } from './types.ts'
import { count, ms, percent, ratioWords, short, windowWords } from './wording.ts'

/** What spoils latency findings of the whole run, in words; each makes them inconclusive. */
export interface Spoilers {
  /** A latency pass, and a latency fail: preconditions that did not hold, evidence that contradicts itself. */
  pass: string[]
  fail: string[]
  /** A pass on interference only: the run could not have seen enough. */
  interferencePass: string[]
}

/** Fail outranks inconclusive, which outranks pass. An empty list is no pass. */
export function worst(outcomes: readonly Outcome[]): Outcome {
  if (outcomes.includes('fail')) return 'fail'
  return outcomes.length === 0 || outcomes.includes('inconclusive') ? 'inconclusive' : 'pass'
}

/** A latency outcome after the run's self-checks. */
export function latencyOutcome(seen: Outcome, spoilers: Spoilers, kind: 'slo' | 'interference'): Outcome {
  if (seen === 'inconclusive' || spoilers[seen].length > 0) return 'inconclusive'
  if (kind === 'interference' && seen === 'pass' && spoilers.interferencePass.length > 0) return 'inconclusive'
  return seen
}

export function judgeTenant(
  input: JudgeInput,
  tenant: string,
  look: Look | undefined,
  spoilers: Spoilers,
): TenantVerdict {
  const { blocks, objectives, timeoutMs, runSeed } = input
  const arms = {
    placebo: armMs(blocks, 'placebo', tenant),
    noise: armMs(blocks, 'noise', tenant),
    silence: armMs(blocks, 'silence', tenant),
  }
  const noisy = blocks.filter((block) => block.arm === 'noise')
  const windows = armWindows(blocks, 'noise', tenant)
  const cut = (of: 'open' | 'young') => windows.reduce((sum, window) => sum + (window.cut?.[of] ?? 0), 0)
  const slo = judgeSlo(arms.noise, objectives.p99Ms, cut('young'))
  const success = judgeSuccess(windows, objectives.successRatio)
  const pairs = completePairs(blocks, input.pairsPlanned).map((pair) => pairSamples(pair, tenant))
  const ratio = pooledRatio(pairs, { timeoutMs, runSeed, tenant })
  const seen = interferenceOf(tenant, look)
  const outcomes = {
    interference: latencyOutcome(seen, spoilers, 'interference'),
    slo: latencyOutcome(slo.outcome, spoilers, 'slo'),
    success: success.outcome,
  }
  const here = look?.tenants.find((one) => one.tenant === tenant)
  return {
    tenant,
    outcome: worst(Object.values(outcomes)),
    reasons: [
      spoilt(sloWords(tenant, slo, input, noisy), slo.outcome, outcomes.slo),
      successWords(tenant, success, input, noisy),
      spoilt(interferenceWords(tenant, here, seen, look?.pair ?? 0, input), seen, outcomes.interference),
      `${tenant}: ${ratioWords(ratio)}`,
      ...neverWords(tenant, arms),
      ...(cut('open') === 0 ? [] : [cutWords(tenant, cut('open'), cut('young'))]),
    ],
    samples: { placebo: arms.placebo.length, noise: arms.noise.length, silence: arms.silence.length },
    placebo: quantiles(arms.placebo),
    noise: quantiles(arms.noise),
    ratio,
    successRatio: success.share,
    ...outcomes,
  }
}

/** A tenant's own outcome at the last look, in line with what the look as a whole decided. */
function interferenceOf(tenant: string, look: Look | undefined): Outcome {
  const here = look?.tenants.find((one) => one.tenant === tenant)
  if (look === undefined || here === undefined) return 'inconclusive'
  if (look.outcome === 'pass') return 'pass'
  if (here.fails) return look.outcome === 'fail' ? 'fail' : 'inconclusive'
  return here.passes ? 'pass' : 'inconclusive'
}

function quantiles(values: Descending): TenantVerdict['noise'] {
  const finite = (x: number | null) => (x === Number.POSITIVE_INFINITY ? null : x)
  return {
    p50Ms: finite(quantileMs(values, 500)),
    p99Ms: finite(quantileMs(values, 990)),
    p999Ms: finite(quantileMs(values, 999)),
  }
}

function spoilt(words: string, seen: Outcome, after: Outcome): string {
  return seen === after ? words : `${words}; counted as inconclusive, see the run's reasons`
}

function sloWords(tenant: string, slo: SloResult, input: JudgeInput, noisy: readonly Block[]): string {
  const limit = `the SLO of ${ms(input.objectives.p99Ms)}`
  const window = `n=${count(slo.samples)} in ${windowWords(noisy)}`
  if (slo.p99 === null) return `${tenant}: no sample under noise (${window}), so ${limit} was not judged`
  const { point, low, high } = slo.p99
  const upper = high === Number.POSITIVE_INFINITY ? 'no upper bound at 95 %' : `95 % upper bound ${ms(high)}`
  const lower = `95 % lower bound ${ms(low)}`
  const p99 = `${tenant}: p99 under noise ${ms(point)}`
  if (slo.outcome === 'pass') return `${p99} (${upper}, ${window}) is within ${limit}`
  if (slo.outcome === 'fail') return `${p99} (${lower}, ${window}) exceeds ${limit}`
  return `${p99} (${lower}, ${upper}, ${window}) leaves ${limit} undecided`
}

function successWords(tenant: string, success: SuccessResult, input: JudgeInput, noisy: readonly Block[]): string {
  const wanted = `the objective of ${percent(input.objectives.successRatio)}`
  const window = `${count(success.ok)} of ${count(success.offered)} offered in ${windowWords(noisy)}`
  if (success.offered === 0) return `${tenant}: nothing was offered under noise, so ${wanted} was not judged`
  const { point, low, high } = success.share
  const ratio = `${tenant}: success ratio under noise ${percent(point)}`
  if (success.outcome === 'pass') return `${ratio} (95 % lower bound ${percent(low)}, ${window}) meets ${wanted}`
  if (success.outcome === 'fail') return `${ratio} (95 % upper bound ${percent(high)}, ${window}) misses ${wanted}`
  return `${ratio} (95 % bounds ${percent(low)} and ${percent(high)}, ${window}) leaves ${wanted} undecided`
}

function interferenceWords(
  tenant: string,
  here: TenantLook | undefined,
  seen: Outcome,
  pair: number,
  input: JudgeInput,
): string {
  const limit = `the interference limit of ${short(input.objectives.interferenceRatio)}`
  if (here === undefined) {
    return `${tenant}: too few complete pairs to look at ${limit} (3 of ${input.pairsPlanned} planned are the least)`
  }
  const n = `n=${count(here.samples.placebo)} placebo and ${count(here.samples.noise)} noise in ${pair} of ${input.pairsPlanned} pairs`
  const p99 = `${tenant}: p99 ratio noise/placebo ${short(here.pooledRatio)} (${n})`
  const p = `p below the pass edge ${short(here.pBelow)}, above the fail edge ${short(here.pAbove)} by exceedances and ${short(here.pTail)} by block p99s`
  if (seen === 'pass') return `${p99} is within ${limit} (${p})`
  if (seen === 'fail') return `${p99} exceeds ${limit} (${p})`
  return `${p99} leaves ${limit} undecided (${p})`
}

function cutWords(tenant: string, open: number, young: number): string {
  return `${tenant}: of these, ${count(open)} were still open when the run was cut, ${count(young)} of them younger than the SLO; they count against a pass and for no fail`
}

/** Says why a quantile is null although there are samples. */
function neverWords(tenant: string, arms: Record<'placebo' | 'noise', Descending>): string[] {
  return (['placebo', 'noise'] as const).flatMap((arm) => {
    let never = 0
    while (arms[arm][never] === Number.POSITIVE_INFINITY) never++
    if (never === 0) return []
    const n = `${count(never)} of ${count(arms[arm].length)} operations`
    return [
      `${tenant}: ${n} under ${arm} failed or never ended; their response time is infinite, and a quantile that falls among them is null`,
    ]
  })
}
