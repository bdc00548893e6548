// What a run must have been like before its findings count, on small hand-made evidence.

import { expect, test } from 'vitest'
import type { Evidence, QuietTenant } from '../../harness/evidence/run.ts'
import type { Block } from '../../harness/evidence/types.ts'
import { Counts } from '../../harness/recording/counts.ts'
import { asked } from '../../harness/run/assemble.ts'
import { uninspected } from '../../harness/run/inspect.ts'
import { plannedPairs } from '../../harness/run/options.ts'
import { preconditions } from '../../harness/run/preconditions.ts'
import { scenario } from './fake-crew.ts'

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
  dwell: { state: 'not-offered' },
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

const quiet = { label: 'quiet-1', ratePerSecond: 100, shape: 'poisson' as const, stepMs: 1, pollMs: 0 }
const placebo = (ok: number): Block => ({
  ...silence(4000),
  arm: 'placebo',
  pair: 1,
  tenants: [
    { tenant: 'quiet-1', offered: 100, sent: 100, ok, failed: 100 - ok, unfinished: 0, responseUs: [[4000, ok]] },
  ],
})

/** Whether a precondition held with these objectives beside the usual ones, and what it said. */
const held = (name: string, profiles: Evidence['objectives']['profiles'], block: Block, lateUs: number) => {
  const { objectives, ...rest } = evidence(quiet)
  const lateness = new Map([['quiet-1/placebo/0/lateness', Counts.of([[lateUs, 100]])]])
  const all = preconditions({ ...rest, objectives: { ...objectives, profiles } }, [block], lateness)
  const found = all.find((one) => one.name === name)
  return [found?.held, found?.detail]
}

test('our own lateness must be small beside the tightest limit of each percentile that anybody named', () => {
  const at = (profiles: Evidence['objectives']['profiles'], lateUs: number) =>
    held('send-lateness-placebo', profiles, placebo(100), lateUs)
  expect(at(undefined, 25_000)[0]).toBe(true)
  expect(at(undefined, 25_001)[0]).toBe(false)
  expect(at({ quiet: { p50Ms: 20 } }, 2001)).toEqual([
    false,
    'send lateness p50 2.0 ms (limit 2.0 ms), p99 2.0 ms (limit 25.0 ms) over 100 arrivals in the placebo blocks (a tenth of the SLO is the limit)',
  ])
  expect(at({ 'quiet-1': { goodSeconds: { p99Ms: 30, share: 0.9 } } }, 3001)[0]).toBe(false)
  expect(at({ 'quiet-1': { goodSeconds: { p99Ms: 30, share: 0.9 } } }, 3000)[0]).toBe(true)
})

test('a tenant must do as well under placebo as its own profile wants', () => {
  const at = (profiles: Evidence['objectives']['profiles'], ok: number) =>
    held('well-under-placebo', profiles, placebo(ok), 0)[0]
  expect([at(undefined, 98), at(undefined, 99)]).toEqual([false, true])
  expect(at({ 'quiet-1': { successRatio: 0.9 } }, 90)).toBe(true)
  expect(at({ quiet: { successRatio: 1 } }, 99)).toBe(false)
})

test('in an A/A run the sink must have seen the noise of both arms', () => {
  const api = { ordered: 100, sent: 100, answered: 100, refused: 0, errors: 0, sentLate: 0, lastSentUs: 1, cpuUs: 1 }
  const arm = (sinkSeen: number) => ({ ...none, makers: { api: { ...api, sinkSeen } } })
  const delivered = (noiseTo: 'target' | 'sink', sinkSeen: number) => {
    const run = { ...evidence(quiet), noiseTo, noise: { placebo: arm(100), noise: arm(sinkSeen) } }
    const blocks = (['placebo', 'noise'] as const).map((one) => ({ ...silence(12_000), arm: one, pair: 1 }))
    return preconditions(run, blocks, new Map()).find(({ name }) => name === 'noise-delivered-noise')
  }
  expect([delivered('sink', 100)?.held, delivered('sink', 99)?.held, delivered('target', 0)?.held]).toEqual([
    true,
    false,
    true,
  ])
  expect(delivered('sink', 99)?.detail).toContain('100 answered, 0 errors, 99 seen by the sink in the noise blocks')
})
