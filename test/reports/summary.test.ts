// What stands beside a verdict when a defect was seeded: how often it was tripped, or that it never was. Refuses a verdict
// on a defect that was not there to be seen, shown as if it were one.

import { describe, expect, test } from 'vitest'
import type { ActsEvidence } from '../../harness/evidence/acts.ts'
import type { Evidence } from '../../harness/evidence/run.ts'
import { uninspected } from '../../harness/run/inspect.ts'
import { judge } from '../../harness/verdict/judge.ts'
import { judgeActs } from '../../harness/verdict/judge-acts.ts'
import { actsSummary } from '../../reports/acts-summary.ts'
import { defectLine, summary } from '../../reports/summary.ts'
import { heldFinding, simulateInput } from '../verdict/simulate.ts'

const NEVER = 'seeded defect shared-fifo: NEVER TRIPPED, so this verdict says nothing about it'

test.each([
  [null, null, null],
  [null, 5, null],
  ['shared-fifo', 0, NEVER],
  ['shared-fifo', null, NEVER],
  ['shared-fifo', 1234, 'seeded defect shared-fifo: tripped 1234 times'],
])('of defect %s with %s trips is said: %s', (defect, defectTrips, said) => {
  expect(defectLine({ defect, defectTrips })).toBe(said)
})

const machine = { platform: 'x', cores: 2, memoryGiB: 4, node: 'v24.0.0' }
const tally = {
  apiSent: 0,
  apiAnswered: 0,
  apiRefused: 0,
  apiErrors: 0,
  streamSent: 0,
  streamErrors: 0,
  cpuUs: 0,
  makers: {},
}
const common = {
  version: 1,
  scenario: 'x',
  question: 'Is it so?',
  target: 'reference with seeded defect shared-fifo',
  defect: 'shared-fifo',
  runSeed: 7,
  startedAt: '',
  endedAt: '',
  interrupted: false,
  partywall: '0.1.0',
  machine,
  stack: { redis: 'none' },
  targetDied: null,
  files: {},
} as const

function floodSummary(defectTrips: number): string {
  const input = simulateInput({ runSeed: 7, pairs: 3 })
  const evidence: Evidence = {
    ...common,
    defectTrips,
    quietTenants: input.quietTenants.map((label) => ({
      label,
      ratePerSecond: 100,
      shape: 'poisson',
      stepMs: 2,
      pollMs: 0,
    })),
    noisyTenant: 'noisy',
    objectives: input.objectives,
    pairsPlanned: input.pairsPlanned,
    operationTimeoutMs: input.timeoutMs,
    settleMs: 200,
    blocks: [],
    drains: [],
    rehearsed: null,
    brokeOff: null,
    noise: { placebo: tally, noise: tally },
    noiseOrdered: { placebo: { api: 0, stream: 0 }, noise: { api: 0, stream: 0 } },
    noisePlanned: {},
    selfChecks: uninspected,
    hiccups: [],
    looks: [],
    dwell: { state: 'not-offered' },
    pairsEnded: null,
    notApplicable: [],
  }
  return summary(evidence, judge(input))
}

function actsSummaryOf(defectTrips: number): string {
  const evidence: ActsEvidence = { ...common, kind: 'acts', defectTrips, slots: 8, acts: [] }
  return actsSummary(evidence, judgeActs([heldFinding], null, false))
}

describe.each([
  ['a flood', floodSummary],
  ['acts', actsSummaryOf],
])('the summary of %s', (_, summaryOf) => {
  test('says beside the verdict and its reasons that the defect was never tripped', () => {
    const text = summaryOf(0)
    expect(text).toMatch(/^# x: (pass|inconclusive)\n/)
    const reasons = text.slice(0, text.indexOf('\n|'))
    expect(reasons).toContain(`- ${NEVER}`)
  })

  test('says how often it was', () => {
    expect(summaryOf(17)).toContain('- seeded defect shared-fifo: tripped 17 times')
    expect(summaryOf(17)).not.toContain('NEVER')
  })
})
