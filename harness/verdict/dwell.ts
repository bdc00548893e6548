// Dwell: from queued to first executed, on the target's own clock, as its runs tell it. Reported and never decides; refuses
// to take a run that was tried again for one that waited. Pure.

import type { DwellFacts, DwellObservation } from '../evidence/run.ts'
import type { Arm } from '../evidence/types.ts'
import type { DwellReport, DwellTimes } from '../evidence/verdict.ts'
import { quantileMs } from './samples.ts'

const ARMS: readonly Arm[] = ['silence', 'placebo', 'noise']

export interface DwellInput {
  /** Absent where the run was saved before it was asked for. */
  facts: DwellFacts | undefined
  observations: readonly DwellObservation[]
}

export function dwellReport({ facts, observations }: DwellInput, tenants: readonly string[]): DwellReport {
  if (facts === undefined) return { state: 'not-told', why: 'the run was saved before it was asked for' }
  if (facts.state === 'not-offered') return { state: 'not-told', why: 'not offered by the target' }
  if (facts.state === 'not-asked') return { state: 'not-told', why: facts.why }
  const first = observations.filter(({ attempt }) => attempt === 1)
  const { questions, answered, unknown, why } = facts
  return {
    state: 'told',
    questions,
    answered,
    unknown,
    triedAgain: observations.length - first.length,
    endedEarly: why,
    tenants: tenants.map((tenant) => {
      const own = first.filter((line) => line.tenant === tenant)
      const [silence, placebo, noise] = ARMS.map((arm) => timesOf(own.filter((line) => line.arm === arm)))
      return { tenant, silence: silence ?? null, placebo: placebo ?? null, noise: noise ?? null }
    }),
  }
}

/** One that had not begun when it was asked about waits longer than any; null for a quantile among those, and of nothing. */
function timesOf(lines: readonly DwellObservation[]): DwellTimes | null {
  if (lines.length === 0) return null
  const ms = lines.map(({ queuedMs, startedMs }) =>
    startedMs === null ? Number.POSITIVE_INFINITY : startedMs - queuedMs,
  )
  const descending = Float64Array.from(ms).sort().reverse()
  const finite = (permille: number) => {
    const value = quantileMs(descending, permille)
    return value !== null && Number.isFinite(value) ? value : null
  }
  return { p50Ms: finite(500), p99Ms: finite(990), runs: lines.length }
}
