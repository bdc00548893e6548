// What a run must have been like before its findings count, on small hand-made evidence.

import { expect, test } from 'vitest'
import type { Evidence, QuietTenant } from '../../harness/evidence/run.ts'
import type { Block } from '../../harness/evidence/types.ts'
import { asked } from '../../harness/run/assemble.ts'
import { plannedPairs } from '../../harness/run/options.ts'
import { preconditions } from '../../harness/run/preconditions.ts'
import { scenario } from './fake-crew.ts'
import { uninspected } from './uninspected.ts'

const none = {
  apiSent: 0,
  apiAnswered: 0,
  apiRefused: 0,
  apiErrors: 0,
  streamSent: 0,
  streamErrors: 0,
  cpuUs: 0,
  makers: {},
}
const evidence = (tenant: QuietTenant): Evidence => ({
  version: 1,
  scenario: 'quick',
  question: '',
  target: '',
  defect: null,
  defectTrips: null,
  runSeed: 1,
  startedAt: '',
  endedAt: '',
  interrupted: false,
  partywall: '',
  machine: { platform: '', cores: 2, memoryGiB: 4, node: '' },
  stack: { redis: '' },
  quietTenants: [tenant],
  noisyTenant: 'noisy',
  objectives: { p99Ms: 250, successRatio: 0.99, interferenceRatio: 2, interferenceFloorMs: 0 },
  pairsPlanned: 25,
  operationTimeoutMs: 10_000,
  settleMs: 200,
  blocks: [],
  drains: [],
  rehearsed: null,
  noise: { placebo: none, noise: none },
  noiseOrdered: { placebo: { api: 0, stream: 0 }, noise: { api: 0, stream: 0 } },
  noisePlanned: {},
  selfChecks: uninspected,
  hiccups: [],
  looks: [],
  targetDied: null,
  pairsEnded: null,
  brokeOff: null,
  notApplicable: [],
  files: {},
})

const silence = (p50Us: number): Block => ({
  index: 0,
  arm: 'silence',
  pair: null,
  startUs: 0,
  settleUs: 0,
  endUs: 1e6,
  tenants: [{ tenant: 'quiet-1', offered: 9, sent: 9, ok: 9, failed: 0, unfinished: 0, responseUs: [[p50Us, 9]] }],
})

const canBeHurt = (tenant: Pick<QuietTenant, 'stepMs' | 'pollMs'>, p50Us: number) => {
  const quiet = { label: 'quiet-1', ratePerSecond: 100, shape: 'poisson' as const, ...tenant }
  return preconditions(evidence(quiet), [silence(p50Us)], new Map()).find(({ name }) => name === 'can-be-hurt-quiet-1')
}

test('time until the next poll cannot be hurt, like declared step time, and is told', () => {
  expect(canBeHurt({ stepMs: 1, pollMs: 0 }, 12_000)?.held).toBe(true)
  expect(canBeHurt({ stepMs: 1, pollMs: 5 }, 12_000)?.held).toBe(true)
  const polled = canBeHurt({ stepMs: 1, pollMs: 10 }, 12_000)
  expect(polled?.held).toBe(false)
  expect(polled?.detail).toContain('1 ms declared step time and up to 10 ms of waiting for the next poll')
})

test('a probe that throws is inconclusive with what it threw', () => {
  const probe = {
    name: 'runs-stay-with-tenant',
    judge: () => {
      throw new Error('a line without a reader')
    },
  }
  expect(asked(probe, [], [])).toMatchObject({
    probe: 'runs-stay-with-tenant',
    finding: 'inconclusive',
    reason: 'the probe failed: a line without a reader',
  })
})

test('the pairs of a budget leave room for silence and drains, and are at least 3', () => {
  const blocks = { ...scenario.blocks, pairs: 25, silence: 4 }
  const of = (budgetS?: number) => plannedPairs({ ...scenario, blocks }, budgetS)
  expect([of(), of(11), of(60), of(62), of(1000)]).toEqual([25, 3, 24, 25, 25])
  expect(() => of(10)).toThrow('[budget-too-small] a budget of 10 s holds 4 s of silence and 2 pairs of 2.3 s')
})
