// What a run sends at most, said before anything is sent.

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { planOf, planWords } from '../../harness/run/plan.ts'
import { loadScenario } from '../../harness/scenario/load.ts'
import type { Scenario } from '../../harness/scenario/schema.ts'
import { folder, partywall, tidy } from '../live/partywall.ts'

afterEach(tidy)

const flood = (name: string) => loadScenario(name) as Scenario

test('the default run: blocks, rates and connections, each with its bound', () => {
  const plan = planOf(flood('noisy-neighbour'), 'reference')
  // 2 s to start, 3 of warm-up, 4 of silence; 25 pairs of 2 blocks, or with the longest drains of 5.
  expect(plan).toMatchObject({ pairs: 25, quietTenants: 4, expectedS: 67, atMostS: 134 })
  expect(plan.sends).toEqual([
    { what: 'quiet starts', atMost: 53_600, perSecond: 400, connections: 4000 },
    { what: 'noise requests', atMost: 25_500, perSecond: 1000, connections: 100 },
    { what: 'noise entries', atMost: 51_000, perSecond: 2000, connections: null },
    { what: 'probe requests', atMost: 4320, perSecond: 80, connections: null },
  ])
  expect(planWords(plan)).toContain('up to 25,500 noise requests, 1,000/s on up to 100 connections')
})

test('a budget bounds the pairs, and a storm of retries counts each of them', () => {
  const scenario = flood('hogs')
  const { retry } = scenario.noise
  const plan = planOf(scenario, 'reference', 30)
  expect(plan.pairs).toBeLessThan(scenario.blocks.pairs)
  const requests = plan.sends.find(({ what }) => what === 'noise requests')
  expect(requests?.perSecond).toBeGreaterThanOrEqual((retry?.requestsPerSecond ?? 0) * (1 + (retry?.retries ?? 0)))
})

test('--dry-run prints it on stdout, starts nothing and makes no folder', async () => {
  const out = join(folder(), 'run')
  const { code, stdout, stderr } = await partywall('run', '--dry-run', '--out', out, '--json')
  expect([code, stderr, existsSync(out)]).toEqual([0, '', false])
  expect(JSON.parse(stdout)).toEqual(planOf(flood('noisy-neighbour'), 'reference'))
  const acts = await partywall('run', 'limits', '--dry-run')
  expect([acts.code, acts.stderr]).toEqual([2, expect.stringContaining('acts')])
})
