// The interference report of a verdict: rises by quantile against both baselines, throughput, the isolation metrics. It is
// reported and never decides. Pure.

import type { Arm } from '../evidence/types.ts'
import type { ByArm, IsolationReport, NoiseLevel, Rise, Throughput } from '../evidence/verdict.ts'
import { dwellReport } from './dwell.ts'
import { jainIndex, minMaxRatio, overLevels, qosInfluence } from './isolation.ts'
import { armMs, armWindows, quantileMs } from './samples.ts'
import type { JudgeInput } from './types.ts'

const QUANTILES = [
  ['p50', 500],
  ['p99', 990],
  ['p99.9', 999],
] as const

export function isolationReport(input: JudgeInput): IsolationReport {
  const { quietTenants: tenants } = input
  const served = tenants.map((tenant) => throughput(input, tenant))
  // A quiet tenant asks for less than its fair share, so its demand is what it could get.
  const shares = served.flatMap(({ successRatio: { noise } }) => (noise === null ? [] : [noise]))
  return {
    windows: {
      silence: windowsOf(input, 'silence'),
      placebo: windowsOf(input, 'placebo'),
      noise: windowsOf(input, 'noise'),
    },
    rises: tenants.flatMap((tenant) =>
      (['placebo', 'silence'] as const).flatMap((against) =>
        QUANTILES.map(([quantile, permille]) => rise(input, { tenant, against, quantile, permille })),
      ),
    ),
    throughput: served,
    influence: influence(input, served),
    minMaxRatio: minMaxRatio(shares),
    jain: jainIndex(shares),
    evennessOf: shares.length,
    starvation: input.starvation ?? null,
    dwell: dwellReport(input.dwell ?? { facts: undefined, observations: [] }, tenants),
  }
}

function rise(
  input: JudgeInput,
  of: { tenant: string; against: 'placebo' | 'silence'; quantile: Rise['quantile']; permille: number },
): Rise {
  const finite = (arm: Arm) => {
    const values = armMs(input.blocks, arm, of.tenant)
    const value = quantileMs(values, of.permille)
    return { samples: values.length, ms: value !== null && Number.isFinite(value) ? value : null }
  }
  const [off, on] = [finite(of.against), finite('noise')]
  const both = off.ms !== null && on.ms !== null && off.ms > 0
  return {
    tenant: of.tenant,
    against: of.against,
    quantile: of.quantile,
    offMs: off.ms,
    onMs: on.ms,
    ratio: both ? (on.ms ?? 0) / (off.ms ?? 1) : null,
    differenceMs: both ? (on.ms ?? 0) - (off.ms ?? 0) : null,
    samples: { off: off.samples, on: on.samples },
  }
}

function windowsOf(input: JudgeInput, arm: Arm): { blocks: number; seconds: number } {
  const blocks = input.blocks.filter((block) => block.arm === arm)
  const seconds = blocks.reduce((sum, { startUs, settleUs, endUs }) => sum + (endUs - startUs - settleUs) / 1e6, 0)
  return { blocks: blocks.length, seconds }
}

function throughput(input: JudgeInput, tenant: string): Throughput {
  const both = (of: (arm: 'placebo' | 'noise') => number | null): ByArm => ({
    placebo: of('placebo'),
    noise: of('noise'),
  })
  const sum = (arm: Arm, what: 'offered' | 'ok') => {
    const windows = armWindows(input.blocks, arm, tenant)
    return windows.length === 0 ? null : windows.reduce((total, window) => total + window[what], 0)
  }
  const over = (part: number | null, whole: number | null) => (part === null || !whole ? null : part / whole)
  return {
    tenant,
    offered: both((arm) => sum(arm, 'offered')),
    done: both((arm) => sum(arm, 'ok')),
    offeredPerSecond: both((arm) => over(sum(arm, 'offered'), windowsOf(input, arm).seconds)),
    donePerSecond: both((arm) => over(sum(arm, 'ok'), windowsOf(input, arm).seconds)),
    successRatio: both((arm) => over(sum(arm, 'ok'), sum(arm, 'offered'))),
  }
}

/**
 * A scenario orders one level of noise: the quiet tenants' p99s, and the load of all tenants, which under placebo is the
 * quiet ones' alone.
 */
function influence(input: JudgeInput, served: readonly Throughput[]): IsolationReport['influence'] {
  const { noisePerSecond } = input
  if (noisePerSecond === undefined) return { average: null, largest: null, levels: [] }
  const p99 = (tenant: string, arm: Arm) => quantileMs(armMs(input.blocks, arm, tenant), 990) ?? Number.NaN
  const load = (arm: 'placebo' | 'noise') => served.reduce((sum, of) => sum + (of.offeredPerSecond[arm] ?? 0), 0)
  const level = {
    tenants: input.quietTenants.map((tenant) => ({ refMs: p99(tenant, 'placebo'), disrMs: p99(tenant, 'noise') })),
    refLoad: load('placebo'),
    disrLoad: load('noise') + noisePerSecond,
  }
  const finite = (ms: number) => (Number.isFinite(ms) ? ms : null)
  const told: NoiseLevel = {
    noisePerSecond,
    refPerSecond: level.refLoad,
    disrPerSecond: level.disrLoad,
    refP99SumMs: finite(level.tenants.reduce((sum, { refMs }) => sum + refMs, 0)),
    disrP99SumMs: finite(level.tenants.reduce((sum, { disrMs }) => sum + disrMs, 0)),
    influence: qosInfluence(level),
  }
  const over = overLevels([level])
  return { average: over?.average ?? null, largest: over?.largest ?? null, levels: [told] }
}
