// The interference report of a verdict: rises by quantile against both baselines, throughput, the isolation metrics. It is
// reported and never decides. Pure.

import type { Arm } from '../evidence/types.ts'
import type { IsolationReport, Rise } from '../evidence/verdict.ts'
import { jainIndex, minMaxRatio, overLevels } from './isolation.ts'
import { armMs, armWindows, quantileMs } from './samples.ts'
import type { JudgeInput } from './types.ts'

const QUANTILES = [
  ['p50', 500],
  ['p99', 990],
  ['p99.9', 999],
] as const

export function isolationReport(input: JudgeInput): IsolationReport {
  const { quietTenants: tenants } = input
  const shares = tenants.map((tenant) => doneShare(input, tenant, 'noise')).filter((share) => share !== null)
  return {
    rises: tenants.flatMap((tenant) =>
      (['placebo', 'silence'] as const).flatMap((against) =>
        QUANTILES.map(([quantile, permille]) => rise(input, { tenant, against, quantile, permille })),
      ),
    ),
    throughput: tenants.map((tenant) => ({
      tenant,
      offeredPerSecond: {
        placebo: perSecond(input, tenant, 'placebo', 'offered'),
        noise: perSecond(input, tenant, 'noise', 'offered'),
      },
      donePerSecond: {
        placebo: perSecond(input, tenant, 'placebo', 'ok'),
        noise: perSecond(input, tenant, 'noise', 'ok'),
      },
    })),
    influence: influence(input),
    minMaxRatio: minMaxRatio(shares),
    jain: jainIndex(shares),
    starvationMs: input.starvationMs ?? [],
    dwell: input.dwell ?? [],
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

function seconds(input: JudgeInput, arm: Arm): number {
  return input.blocks
    .filter((block) => block.arm === arm)
    .reduce((sum, { startUs, settleUs, endUs }) => sum + (endUs - startUs - settleUs) / 1e6, 0)
}

function perSecond(input: JudgeInput, tenant: string, arm: Arm, what: 'offered' | 'ok'): number | null {
  const time = seconds(input, arm)
  if (time <= 0) return null
  return armWindows(input.blocks, arm, tenant).reduce((sum, window) => sum + window[what], 0) / time
}

/** Of what it asked for: a quiet tenant asks for less than its fair share, so its demand is what it could get. */
function doneShare(input: JudgeInput, tenant: string, arm: Arm): number | null {
  const offered = perSecond(input, tenant, arm, 'offered')
  const done = perSecond(input, tenant, arm, 'ok')
  return offered === null || done === null || offered === 0 ? null : done / offered
}

/** One level of noise: the quiet tenants' p99s, and the load of all tenants, which under placebo is the quiet ones' alone. */
function influence(input: JudgeInput): IsolationReport['influence'] {
  const p99 = (tenant: string, arm: Arm) => quantileMs(armMs(input.blocks, arm, tenant), 990) ?? Number.NaN
  const load = (arm: Arm) =>
    input.quietTenants.reduce((sum, tenant) => sum + (perSecond(input, tenant, arm, 'offered') ?? 0), 0)
  if (input.noisePerSecond === undefined) return null
  const level = {
    tenants: input.quietTenants.map((tenant) => ({ refMs: p99(tenant, 'placebo'), disrMs: p99(tenant, 'noise') })),
    refLoad: load('placebo'),
    disrLoad: load('noise') + input.noisePerSecond,
  }
  const found = overLevels([level])
  return found && { ...found, refPerSecond: level.refLoad, disrPerSecond: level.disrLoad }
}
