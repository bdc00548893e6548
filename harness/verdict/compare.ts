// Two runs beside each other: what changed from the first to the second, each with an interval. It judges neither, and it
// does not know why: two runs also differ in what else the machine was doing. Pure.

import type { Comparison, Difference } from '../evidence/comparison.ts'
import type { Arm } from '../evidence/types.ts'
import type { Interval, Verdict } from '../evidence/verdict.ts'
import { type Random, randomFor } from '../load/random.ts'
import { quantileRanks, shareInterval } from './binomial.ts'
import { drawTimes, pool, topRank } from './resample.ts'
import { armWindows, type Descending, descendingMs, quantileMs, windowOf } from './samples.ts'
import type { JudgeInput } from './types.ts'

export interface ComparedRun {
  input: JudgeInput
  verdict: Verdict
}

/** Each interval; with ten figures a tenant, one in a hundred that excludes "no change" by chance is enough. */
const CONFIDENCE = 0.99
const RESAMPLES = 1000
const QUANTILES = [
  { name: 'p50', permille: 500 },
  { name: 'p99', permille: 990 },
  { name: 'p99.9', permille: 999 },
] as const
const ARMS: readonly Arm[] = ['silence', 'placebo', 'noise']

export function compareRuns(a: ComparedRun, b: ComparedRun): Comparison {
  const tenants = a.input.quietTenants.filter((tenant) => b.input.quietTenants.includes(tenant))
  const only = (of: ComparedRun, other: ComparedRun) =>
    of.input.quietTenants.filter((tenant) => !other.input.quietTenants.includes(tenant))
  return {
    confidence: CONFIDENCE,
    outcomes: { a: a.verdict.outcome, b: b.verdict.outcome },
    onlyInA: only(a, b),
    onlyInB: only(b, a),
    differences: tenants.flatMap((tenant) => [
      ...ARMS.flatMap((arm) => QUANTILES.map((quantile) => quantileDifference(a, b, { tenant, arm, ...quantile }))),
      successDifference(a, b, tenant),
      interferenceDifference(a, b, tenant),
    ]),
    findings: findingChanges(a.verdict, b.verdict),
  }
}

const blocksIn = (run: ComparedRun, arm: Arm, tenant: string): Descending[] =>
  run.input.blocks
    .filter((block) => block.arm === arm)
    .map((block) => {
      const window = windowOf(block, tenant)
      return descendingMs(window === undefined ? [] : [window])
    })

const pooled = (blocks: readonly Descending[]): Descending =>
  Float64Array.from(blocks.flatMap((block) => Array.from(block)))
    .sort()
    .reverse()

function quantileDifference(
  a: ComparedRun,
  b: ComparedRun,
  of: { tenant: string; arm: Arm; name: string; permille: number },
): Difference {
  const [blocksA, blocksB] = [blocksIn(a, of.arm, of.tenant), blocksIn(b, of.arm, of.tenant)]
  const [allA, allB] = [pooled(blocksA), pooled(blocksB)]
  const what = `${of.name} under ${of.arm === 'silence' ? 'no noise' : of.arm}`
  const samples = { a: allA.length, b: allB.length }
  const [valueA, valueB] = [quantileMs(allA, of.permille), quantileMs(allB, of.permille)]
  const base = { tenant: of.tenant, what, unit: 'ms' as const, a: valueA, b: valueB, samples }
  const exact = exactRatio(allA, allB, of.permille)
  const finite = valueA !== null && valueB !== null && Number.isFinite(valueA) && Number.isFinite(valueB) && valueA > 0
  if (!finite || exact === null) return { ...base, ratio: null, changed: 'unknown' }
  const seed = a.input.runSeed + b.input.runSeed
  const between = resampledRatio(blocksA, blocksB, of.permille, randomFor(seed, `compare/${of.tenant}/${what}`))
  // The wider of the two on each side: exact for independent samples, and wide enough where blocks differ among themselves.
  const ratio = {
    point: valueB / valueA,
    low: Math.min(exact.low, between.low),
    high: Math.max(exact.high, between.high),
  }
  return { ...base, ratio, changed: verdictOn(ratio, 1) }
}

/** From exact order statistics of each, both at a confidence of 1 − (1 − c)/2 in all. Null where a side has no bound. */
function exactRatio(a: Descending, b: Descending, permille: number): { low: number; high: number } | null {
  const bounds = (values: Descending) => {
    const { low, high } = quantileRanks(values.length, permille / 1000, 1 - (1 - CONFIDENCE) / 4)
    return { low: low === 0 ? 0 : (values[values.length - low] ?? 0), high: values[values.length - high] ?? Infinity }
  }
  const [boundsA, boundsB] = [bounds(a), bounds(b)]
  if (!Number.isFinite(boundsA.high) || !Number.isFinite(boundsB.high) || boundsA.low <= 0) return null
  return { low: boundsB.low / boundsA.high, high: boundsB.high / boundsA.low }
}

function resampledRatio(a: readonly Descending[], b: readonly Descending[], permille: number, random: Random) {
  const [first, second] = [pool(a), pool(b)]
  const [timesA, timesB] = [new Int32Array(a.length), new Int32Array(b.length)]
  const ratios: number[] = []
  for (let turn = 0; turn < RESAMPLES; turn++) {
    const valueA = topRank(first, drawTimes(timesA, random), 1000 - permille)
    const valueB = topRank(second, drawTimes(timesB, random), 1000 - permille)
    if (valueA > 0 && !Number.isNaN(valueB)) ratios.push(valueB / valueA)
  }
  ratios.sort((x, y) => x - y)
  const at = (share: number) => ratios[Math.min(ratios.length - 1, Math.floor(share * ratios.length))] ?? Number.NaN
  return { low: at((1 - CONFIDENCE) / 2), high: at(1 - (1 - CONFIDENCE) / 2) }
}

function verdictOn({ low, high }: Pick<Interval, 'low' | 'high'>, same: number): Difference['changed'] {
  if (low > same) return 'more'
  return high < same ? 'less' : 'no evidence'
}

/** Newcombe's interval for a difference of shares, with exact bounds in the place of score bounds
 * (Statistics in Medicine 17, 1998, method 10). */
function successDifference(a: ComparedRun, b: ComparedRun, tenant: string): Difference {
  const shareOf = (run: ComparedRun) => {
    const windows = armWindows(run.input.blocks, 'noise', tenant)
    const sum = (of: 'ok' | 'offered') => windows.reduce((total, window) => total + window[of], 0)
    return { ok: sum('ok'), offered: sum('offered') }
  }
  const [countA, countB] = [shareOf(a), shareOf(b)]
  const samples = { a: countA.offered, b: countB.offered }
  const base = { tenant, what: 'success ratio under noise', unit: 'share' as const, samples }
  if (samples.a === 0 || samples.b === 0) return { ...base, a: null, b: null, ratio: null, changed: 'unknown' }
  const side = 1 - (1 - CONFIDENCE) / 2
  const [shareA, shareB] = [countA, countB].map(({ ok, offered }) =>
    shareInterval(ok, offered, { low: side, high: side }),
  ) as [Interval, Interval]
  const point = shareB.point - shareA.point
  const low = point - Math.hypot(shareB.point - shareB.low, shareA.high - shareA.point)
  const high = point + Math.hypot(shareB.high - shareB.point, shareA.point - shareA.low)
  return {
    ...base,
    a: shareA.point,
    b: shareB.point,
    ratio: null,
    difference: { point, low, high },
    changed: verdictOn({ low, high }, 0),
  }
}

/** Of the two runs' own ratios, each with the interval that its verdict shows: widened logarithms, side by side. */
function interferenceDifference(a: ComparedRun, b: ComparedRun, tenant: string): Difference {
  const of = (run: ComparedRun) => run.verdict.tenants.find((one) => one.tenant === tenant)
  const [ratioA, ratioB] = [of(a)?.ratio ?? null, of(b)?.ratio ?? null]
  const samples = { a: of(a)?.samples.noise ?? 0, b: of(b)?.samples.noise ?? 0 }
  const base = { tenant, what: 'interference: p99 ratio noise/placebo', unit: 'ratio' as const, samples }
  const values = { a: ratioA?.point ?? null, b: ratioB?.point ?? null }
  if (ratioA === null || ratioB === null || ratioA.low <= 0)
    return { ...base, ...values, ratio: null, changed: 'unknown' }
  // Their intervals are at 95 %; the normal quantiles 2.576 and 1.960 take them to 99 %.
  const wide = 2.576 / 1.96
  const [down, up] = [
    wide * Math.hypot(Math.log(ratioB.point / ratioB.low), Math.log(ratioA.high / ratioA.point)),
    wide * Math.hypot(Math.log(ratioB.high / ratioB.point), Math.log(ratioA.point / ratioA.low)),
  ]
  const point = ratioB.point / ratioA.point
  const ratio = { point, low: point * Math.exp(-down), high: point * Math.exp(up) }
  return { ...base, ...values, ratio, changed: verdictOn(ratio, 1) }
}

function findingChanges(a: Verdict, b: Verdict): Comparison['findings'] {
  const names = [...new Set([...a.findings, ...b.findings].map(({ probe }) => probe))]
  const of = (verdict: Verdict, probe: string): Comparison['findings'][number]['a'] =>
    verdict.findings.find((f) => f.probe === probe)?.finding ?? 'not asked'
  return names.map((probe) => ({ probe, a: of(a, probe), b: of(b, probe) })).filter((change) => change.a !== change.b)
}
