// A whole run whose scenario has profiles, from the recorder's log to the verdict and back: seconds are found again on disk, and
// the saved evidence is judged to the same bytes.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { judgeFlood } from '../../harness/run/assemble.ts'
import { verdictText } from '../../harness/run/folder.ts'
import { hasProfiles, objectiveRows } from '../../reports/objectives.ts'
import { summary } from '../../reports/summary.ts'
import { scenario } from './fake-crew.ts'
import { begin, PAIRS_FROM_US, tidy } from './fake-run.ts'

afterEach(tidy)

const objectives = {
  ...scenario.objectives,
  profiles: {
    quiet: { p50Ms: 20, maxMs: 300, goodSeconds: { p99Ms: 100, share: 0.4 } },
    'quiet-2': { goodSeconds: { p50Ms: 100, share: 0.9 } },
  },
}
/** 4 pairs: at most 4 blocks under noise, each with a window of 0.8 s, which is one second. */
const profiled = { ...scenario, objectives }

test('the seconds of a run are found again in its log, and saved evidence gives the same verdict, byte for byte', async () => {
  const { running, out, read } = begin({}, { scenario: profiled })
  const { verdict } = await running
  expect(read().objectives).toEqual(objectives)
  const blocks = read().blocks.filter(({ arm }) => arm === 'noise').length
  expect(blocks).toBeGreaterThanOrEqual(3)
  const [first, second] = verdict.tenants.map(({ objectives }) => objectives)
  expect(first?.map(({ name }) => name)).toEqual(['p50', 'p99', 'max', 'seconds with p99 within 100 ms', 'success'])
  expect(first?.[3]).toMatchObject({ samples: blocks, beyond: 0, value: 1, limit: 0.4, counted: 'seconds' })
  expect(second?.[3]).toMatchObject({ name: 'seconds with p50 within 100 ms', limit: 0.9, outcome: 'inconclusive' })
  expect(verdictText(judgeFlood(out).verdict)).toBe(readFileSync(join(out, 'verdict.json'), 'utf8'))
})

test('seconds in which operations are slow, or never end, are not good ones', async () => {
  for (const slow of [400, 'unfinished'] as const) {
    const { running, read } = begin({ fate: (due) => (due < PAIRS_FROM_US ? 4 : slow) }, { scenario: profiled })
    const { verdict } = await running
    const noisy = read().blocks.filter(({ arm }) => arm === 'noise').length
    const [objective] = (verdict.tenants[0]?.objectives ?? []).filter(({ counted }) => counted === 'seconds')
    expect(noisy).toBeGreaterThan(0)
    expect([objective?.samples, objective?.beyond]).toEqual([noisy, noisy])
    // The largest value that its bucket stands for, at 3 digits.
    const value = slow === 400 ? 400.127 : null
    expect(verdict.tenants[0]?.objectives[2]).toMatchObject({ name: 'max', outcome: 'fail', value })
  }
})

test('a row for each tenant and objective tells limit, observed, bounds with their confidence, count and outcome', async () => {
  const { verdict } = await begin({}, { scenario: profiled }).running
  const rows = objectiveRows(verdict)
  expect(rows).toHaveLength(4 * 5)
  expect(hasProfiles(verdict)).toBe(true)
  const [, seconds] = [rows[0], rows[3]]
  expect(seconds?.slice(0, 4)).toEqual(['quiet-1', 'seconds with p99 within 100 ms', '≥ 40 %', '100 %'])
  expect(seconds?.[4]).toMatch(/^\d+\.?\d* % \(95 %\)$/)
  // 4 tenants of 4 objectives with an interval share 5 %.
  expect(seconds?.[5]).toMatch(/^100 % \(99\.688 %\)$/)
  expect(rows[2]?.slice(1)).toEqual([
    'max',
    '≤ 300 ms',
    expect.stringMatching(/ ms$/),
    '–',
    '–',
    expect.stringMatching(/^\d+ operations$/),
    'pass',
  ])
})

test('the summary has the table whatever was asked; two objectives a tenant are too few for the terminal', async () => {
  const { verdict, evidence } = await begin({}).running
  expect(hasProfiles(verdict)).toBe(false)
  const text = summary(evidence, verdict)
  const table = text.slice(text.indexOf('## Objectives under noise'), text.indexOf('## Reasons by tenant'))
  expect(table.match(/^\| quiet-\d \| (p99|success) \| [≤≥] /gm)).toHaveLength(2 * 4)
  expect(table).toContain('| quiet-1 | p99 | ≤ 250 ms |')
})
