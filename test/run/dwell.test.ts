// The sample of runs that is asked about when the pairs are over: which, how many, and what becomes of what is told.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import type { Operation } from '../../harness/load/ledger.ts'
import { RunSample } from '../../harness/load/run-sample.ts'
import { DwellSample, readDwell } from '../../harness/run/dwell.ts'
import type { Window } from '../../harness/run/recorder.ts'
import type { RunRecord } from '../../harness/target/port.ts'
import { access, RUN_SEED } from './fake-crew.ts'
import { begin, tidy } from './fake-run.ts'

afterEach(tidy)

const quiet = [access('quiet-1'), access('quiet-2')]
const window = (index: number): Window => {
  const arm = index % 2 === 0 ? 'placebo' : 'noise'
  return { index, arm, pair: 1 + (index >> 1), startUs: index * 1e6, settleUs: 200_000, endUs: (index + 1) * 1e6 }
}
const op = (seq: number, tenant: number, intendedUs: number): Operation => {
  return { tenant, seq, intendedUs, handedUs: intendedUs, endUs: intendedUs + 1000, outcome: 'ok' }
}
const told = (id: string, queuedMs: number, startedMs: number | null, attempt = 1): RunRecord => {
  return { id, workflow: 'work', source: 'api', status: 'done', attempt, queuedMs, startedMs, endedMs: null }
}
const still = () => 0

test('runs are chosen alike whatever becomes of them, some 16 a second of each tenant, run seed 5', () => {
  const sample = new RunSample(RUN_SEED, [100, 400])
  for (let seq = 0; seq < 50_000; seq++) {
    // 100 s: the second tenant has four of five arrivals.
    const tenant = seq % 5 === 0 ? 0 : 1
    sample.handed(tenant, seq)
    // Every tenth start is refused, and has no id.
    if (seq % 10 !== 9) sample.started(seq, `run-${seq}`)
  }
  const found = sample.take()
  const of = (tenant: number) => found.filter((run) => run.tenant === tenant).length
  // The first tenant's starts are all answered; of the second's 7 in 8.
  expect(Math.abs(of(0) - 1600)).toBeLessThan(3 * 40)
  expect(Math.abs(of(1) - 1400)).toBeLessThan(3 * 40)
  expect(found.every(({ seq, id }) => id === `run-${seq}`)).toBe(true)
  expect(sample.take()).toEqual([])
})

test('a run is asked about in the block of its intended start, and not at all outside of one', () => {
  const sample = new DwellSample()
  sample.learn([{ tenant: 0, seq: 1, id: 'a' }], [op(1, 0, 100_000)], [window(0)])
  sample.learn([{ tenant: 1, seq: 2, id: 'b' }], [op(2, 1, 300_000), op(4, 1, 310_000)], [window(0)])
  // Its id was there before its operation was collected.
  sample.learn([{ tenant: 0, seq: 3, id: 'c' }], [], [])
  sample.learn([], [op(3, 0, 1_900_000)], [window(1)])
  expect(sample.questions).toEqual([
    { tenant: 1, arm: 'placebo', block: 0, id: 'b' },
    { tenant: 0, arm: 'noise', block: 1, id: 'c' },
  ])
})

test('no more than 12 of a tenant and block are asked about, and no more than 4,000 in all, of each block as many', () => {
  const sampleOf = (blocks: number, each: number) => {
    const sample = new DwellSample()
    for (let index = 0; index < blocks; index++) {
      const runs = Array.from({ length: 2 * each }, (_, i) => ({ tenant: i % 2, seq: 10_000 * index + i, id: `${i}` }))
      const operations = runs.map(({ seq, tenant }) => op(seq, tenant, index * 1e6 + 500_000))
      sample.learn(runs, operations, [window(index)])
    }
    return sample.questions
  }
  expect(sampleOf(3, 40)).toHaveLength(3 * 2 * 12)
  const many = sampleOf(400, 12)
  // 800 groups of 5.
  expect(many).toHaveLength(4000)
  const ofBlock = (block: number) => many.filter((run) => run.block === block).length
  expect([ofBlock(0), ofBlock(399)]).toEqual([10, 10])
  // Cut short at any time, no block is asked about more than once more than another.
  expect(new Set(many.slice(0, 800).map(({ tenant, block }) => `${tenant}/${block}`)).size).toBe(800)
})

test('what the target tells is written down as it tells it; a run that it does not know is counted', async () => {
  const questions = [
    { tenant: 0, arm: 'placebo' as const, block: 0, id: 'a' },
    { tenant: 1, arm: 'noise' as const, block: 1, id: 'b' },
    { tenant: 1, arm: 'noise' as const, block: 1, id: 'gone' },
  ]
  const run = async ({ label }: { label: string }, id: string) =>
    id === 'gone' ? null : told(`${label}/${id}`, 1000, id === 'a' ? 1007 : null, 2)
  const { facts, lines } = await readDwell({ run }, quiet, { questions }, still)
  expect(facts).toEqual({ state: 'asked', questions: 3, asked: 3, answered: 2, unknown: 1, tookMs: 0, why: '' })
  expect(lines).toEqual([
    { t: 'dwell', tenant: 'quiet-1', arm: 'placebo', block: 0, run: 'a', attempt: 2, queuedMs: 1000, startedMs: 1007 },
    { t: 'dwell', tenant: 'quiet-2', arm: 'noise', block: 1, run: 'b', attempt: 2, queuedMs: 1000, startedMs: null },
  ])
})

test('a target that does not answer is not asked on and on, and what ended the asking is kept', async () => {
  const questions = Array.from({ length: 500 }, (_, i) => ({ tenant: 0, arm: 'noise' as const, block: 0, id: `${i}` }))
  const run = async () => {
    throw new Error('connect ECONNREFUSED')
  }
  const { facts, lines } = await readDwell({ run }, quiet, { questions }, still)
  expect(facts).toMatchObject({ state: 'asked', questions: 500, asked: 8, answered: 0, why: 'connect ECONNREFUSED' })
  expect(lines).toEqual([])
})

test('asking ends after 10 s', async () => {
  const questions = Array.from({ length: 500 }, (_, i) => ({ tenant: 0, arm: 'noise' as const, block: 0, id: `${i}` }))
  let nowMs = 0
  const run = async (_: unknown, id: string) => {
    nowMs += 400
    return told(id, 0, 1)
  }
  const { facts } = await readDwell({ run }, quiet, { questions }, () => nowMs)
  expect(facts).toMatchObject({ questions: 500, why: '' })
  const { asked, tookMs } = facts as Extract<typeof facts, { state: 'asked' }>
  // 26 answers of 400 ms, and what was under way beside them.
  expect(asked).toBeGreaterThanOrEqual(26)
  expect(asked).toBeLessThanOrEqual(26 + 8)
  expect(tookMs).toBeLessThan(10_000 + 9 * 400)
})

test('a whole run asks after its pairs, and the verdict tells each arm; one without such a target says so', async () => {
  const { crew, running } = begin({})
  const asBefore = crew.generator.collect
  crew.generator.collect = async (fromUs, toUs, withinMs) => {
    const collected = await asBefore(fromUs, toUs, withinMs)
    const sampled: typeof collected.sampled = []
    for (let i = 0; i < collected.operations.length; i += 6) {
      const [tenant = 0, seq = 0] = collected.operations.subarray(i, i + 2)
      if (seq % 10 === 0) sampled.push({ tenant, seq, id: `run-${seq}` })
    }
    return { ...collected, sampled }
  }
  let asked = 0
  crew.target.run = async (_, id) => {
    asked++
    return told(id, 5000, 5003)
  }
  const { verdict, evidence, folder } = await running
  const { dwell } = verdict.isolation
  if (dwell.state !== 'told') throw new Error(`the dwell was not told: ${dwell.why}`)
  expect([asked, dwell.questions, dwell.answered]).toEqual([asked, asked, asked])
  expect(evidence.dwell).toMatchObject({ state: 'asked', asked })
  // 0.8 s of 4 blocks an arm, a tenth of 62.5 operations a second; only two tenants have numbers that end in 0.
  const [first] = dwell.tenants.filter(({ noise }) => noise !== null)
  expect(first?.noise).toMatchObject({ p50Ms: 3, p99Ms: 3 })
  expect(first?.noise?.runs).toBeGreaterThan(20)
  const lines = readFileSync(join(folder, 'journal.ndjson'), 'utf8').split('\n')
  expect(lines.filter((line) => line.startsWith('{"t":"dwell"'))).toHaveLength(asked)

  const without = await begin({}).running
  expect(without.evidence.dwell).toEqual({ state: 'not-offered' })
  expect(without.verdict.isolation.dwell).toEqual({ state: 'not-told', why: 'not offered by the target' })
})
