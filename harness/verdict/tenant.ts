// One quiet tenant's part of the verdict: its objectives and interference, each with its numbers. Refuses a latency pass or fail
// that the run's self-checks do not carry.

import type { TenantWindow } from '../evidence/types.ts'
import type { ObjectiveVerdict, Outcome, TenantVerdict } from '../evidence/verdict.ts'
import { shareInterval } from './binomial.ts'
import type { Look, TenantLook } from './interference.ts'
import { objectiveWords } from './objective-words.ts'
import { type Confidence, confidenceOf, familySize, type Objective, objectivesOf } from './objectives.ts'
import { type Ground, worst } from './ranking.ts'
import { pooledRatio } from './ratio.ts'
import { armMs, armWindows, completePairs, type Descending, pairSamples, quantileMs } from './samples.ts'
import { judgeSeconds, judgeSuccess } from './shares.ts'
import { judgeMax, judgePercentile } from './slo.ts'
import type { JudgeInput } from './types.ts'
import { count, ratioWords, short } from './wording.ts'

/** What spoils latency findings of the whole run, in words; each makes them inconclusive. */
export interface Spoilers {
  /** A latency pass, and a latency fail: preconditions that did not hold, evidence that contradicts itself. */
  pass: string[]
  fail: string[]
  /** A pass on interference only: the run could not have seen enough. */
  interferencePass: string[]
}

/** A latency outcome after the run's self-checks. */
export function latencyOutcome(seen: Outcome, spoilers: Spoilers, kind: 'slo' | 'interference'): Outcome {
  if (seen === 'inconclusive' || spoilers[seen].length > 0) return 'inconclusive'
  if (kind === 'interference' && seen === 'pass' && spoilers.interferencePass.length > 0) return 'inconclusive'
  return seen
}

/** A tenant's verdict, and those of its reasons that bear on the run's. */
export interface JudgedTenant {
  verdict: TenantVerdict
  grounds: Ground[]
}

export function judgeTenant(
  input: JudgeInput,
  tenant: string,
  look: Look | undefined,
  spoilers: Spoilers,
): JudgedTenant {
  const { blocks, timeoutMs, runSeed } = input
  const arms = {
    placebo: armMs(blocks, 'placebo', tenant),
    noise: armMs(blocks, 'noise', tenant),
    silence: armMs(blocks, 'silence', tenant),
  }
  const windows = armWindows(blocks, 'noise', tenant)
  const cut = (of: 'open' | 'young') => windows.reduce((sum, window) => sum + (window.cut?.[of] ?? 0), 0)
  const objectives = judgeObjectives(input, tenant, { noise: arms.noise, windows, young: cut('young') }, spoilers)
  const pairs = completePairs(blocks, input.pairsPlanned).map((pair) => pairSamples(pair, tenant))
  const ratio = pooledRatio(pairs, { timeoutMs, runSeed, tenant })
  const seen = interferenceOf(tenant, look)
  const interference = latencyOutcome(seen, spoilers, 'interference')
  const here = look?.tenants.find((one) => one.tenant === tenant)
  const words = spoilt(interferenceWords(tenant, here, seen, look?.pair ?? 0, input), seen, interference)
  const of = (which: (judged: ObjectiveVerdict) => boolean) =>
    worst(objectives.filter(({ judged }) => which(judged)).map(({ judged }) => judged.outcome))
  const outcomes = {
    interference,
    slo: of(({ name }) => name !== 'success'),
    success: of(({ name }) => name === 'success'),
  }
  const sums = { ok: 0, offered: 0 }
  for (const { ok, offered } of windows) {
    sums.ok += ok
    sums.offered += offered
  }
  const verdict: TenantVerdict = {
    tenant,
    outcome: worst(Object.values(outcomes)),
    reasons: [
      ...objectives.map((objective) => objective.words),
      words,
      `${tenant}: ${ratioWords(ratio, pairs.length)}`,
      ...neverWords(tenant, arms),
      ...(cut('open') === 0 ? [] : [cutWords(tenant, cut('open'), cut('young'), arms.noise.length)]),
    ],
    samples: { placebo: arms.placebo.length, noise: arms.noise.length, silence: arms.silence.length },
    placebo: quantiles(arms.placebo),
    noise: quantiles(arms.noise),
    ratio,
    successRatio: shareInterval(sums.ok, sums.offered),
    objectives: objectives.map(({ judged }) => judged),
    ...outcomes,
  }
  const grounds = [
    ...objectives.map(({ judged, words }) => ({ outcome: judged.outcome, words })),
    // A tenant that did not tip the scales is no reason against a run that was decided as a whole.
    ...(interference === 'inconclusive' ? [] : [{ outcome: interference, words }]),
  ]
  return { verdict, grounds }
}

interface Heard {
  /** Milliseconds under noise. */
  noise: Descending
  windows: readonly TenantWindow[]
  young: number
}

/** Every objective of a tenant with its outcome after the run's self-checks, and the words for it. */
function judgeObjectives(input: JudgeInput, tenant: string, heard: Heard, spoilers: Spoilers) {
  const family = familySize(input.objectives, input.quietTenants)
  const confidence = confidenceOf(family)
  const noisy = input.blocks.filter((block) => block.arm === 'noise')
  return objectivesOf(input.objectives, tenant).map((asked) => {
    const judged = judgeOne(asked, heard, confidence)
    const told = objectiveWords({ tenant, asked, judged, noisy }, family)
    if (asked.kind === 'success') return { judged, words: told }
    const outcome = latencyOutcome(judged.outcome, spoilers, 'slo')
    return { judged: { ...judged, outcome }, words: spoilt(told, judged.outcome, outcome) }
  })
}

function judgeOne(asked: Objective, { noise, windows, young }: Heard, confidence: Confidence): ObjectiveVerdict {
  switch (asked.kind) {
    case 'percentile':
      return judgePercentile(noise, asked, confidence, young)
    case 'max':
      return judgeMax(noise, asked.limitMs, young)
    case 'seconds':
      return judgeSeconds(windows, asked, confidence)
    case 'success':
      return judgeSuccess(windows, asked.share, confidence)
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

function interferenceWords(
  tenant: string,
  here: TenantLook | undefined,
  seen: Outcome,
  pair: number,
  input: JudgeInput,
): string {
  const limit = `the interference limit of ${short(input.objectives.interferenceRatio)}`
  if (here === undefined) {
    const pairs = completePairs(input.blocks, input.pairsPlanned).length
    return `${tenant}: too few complete pairs to look at ${limit} (n=${pairs}; 3 of ${input.pairsPlanned} planned pairs are the least)`
  }
  const n = `n=${count(here.samples.placebo)} placebo and ${count(here.samples.noise)} noise in ${pair} of ${input.pairsPlanned} pairs`
  const p99 = `${tenant}: p99 ratio noise/placebo ${short(here.pooledRatio)} (${n})`
  const p = `p below the pass edge ${short(here.pBelow)}, above the fail edge ${short(here.pAbove)} by exceedances and ${short(here.pTail)} by block p99s`
  if (seen === 'pass') return `${p99} is within ${limit} (${p})`
  if (seen === 'fail') return `${p99} exceeds ${limit} (${p})`
  return `${p99} leaves ${limit} undecided (${p})`
}

function cutWords(tenant: string, open: number, young: number, samples: number): string {
  return `${tenant}: of these, ${count(open)} of ${count(samples)} operations under noise were still open when the run was cut, ${count(young)} of them younger than the largest limit; they count against a pass and for no fail`
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
