// Engines on Redis Streams that are not ours, asked over their streams and nothing else.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { type Stage, startStage } from '../engine/stage.ts'
import { owned, tidyForeign } from './foreign.ts'
import { folder, saved, start } from './partywall.ts'

const LIMIT_MS = 60_000
const SCENARIO = `scenario: streams
question: Does one tenant's flood of entries slow the streams of others?
tenants:
  - role: quiet
    count: 4
    arrivalsPerSecond: 100
    stepMs: 0
    limits: { startsPerMinute: 12000, concurrentRuns: 64, maxRunMs: 5000, maxQueued: 2000 }
  - role: noisy
    count: 1
    stepMs: 0
    limits: { startsPerMinute: 6000, concurrentRuns: 2, maxRunMs: 5000, maxQueued: 20 }
noise:
  api: { requestsPerSecond: 1000, connections: 100 }
  stream: { entriesPerSecond: 2000 }
blocks: { pairs: 3, lengthMs: 500, settleMs: 100, silence: 1, warmUpMs: 800 }
objectives: { p99Ms: 250, successRatio: 0.99, interferenceRatio: 2 }
`
const tenants = ['a', 'b', 'c', 'd', 'noisy']

let stage: Stage
beforeAll(async () => {
  stage = await startStage()
})
afterAll(() => stage.stop())

afterEach(async () => {
  await tidyForeign()
  await stage.redis.flushall()
})

async function engine(more: Record<string, string> = {}): Promise<void> {
  const env = { PATH: process.env.PATH, REDIS_URL: stage.url, TENANTS: tenants.join(), ...more }
  const file = fileURLToPath(new URL('./systems/stream-engine.ts', import.meta.url))
  const child = owned(spawn(process.execPath, [file], { env, stdio: ['ignore', 'pipe', 'inherit'] }))
  await once(child.stdout, 'data')
}

const RESULTS = "{ results: 'results:{{id}}', id: entry, status: status, failed: [failed] }"

async function gate(done: string) {
  const place = folder()
  const [target, scenario, out] = [join(place, 'target.yaml'), join(place, 'scenario.yaml'), join(place, 'run')]
  writeFileSync(scenario, SCENARIO)
  writeFileSync(
    target,
    `redis: \${STREAMS_REDIS}
stepMs: 0
tenants: [${tenants.join(', ')}]
stream: 'jobs:{{id}}'
fields: { input: '{"canary":"{{canary}}"}' }
group: engine
done: ${done}
`,
  )
  const env = { STREAMS_REDIS: stage.url }
  const { code, stderr } = await start(['run', scenario, '--target', target, '--seed', '4', '--out', out], env).ended
  return { code, stderr, out }
}

test(
  'results that show the work of another tenant are a leak, found without any route',
  async () => {
    await engine({ MIXED: '1' })
    const { code, out } = await gate(RESULTS)
    const { verdict, evidence } = saved(out)
    expect(verdict.findings.map(({ probe, finding }) => [probe, finding])).toEqual([
      ['runs-stay-with-tenant', 'not-applicable'],
      ['canaries-stay-with-tenant', 'broken'],
    ])
    expect(code).toBe(1)
    expect(evidence.notApplicable.map(({ what }) => what)).toContain('API flood')
    for (const { tenants: seen } of evidence.blocks) for (const { offered, ok } of seen) expect(ok).toBe(offered)
    expect(evidence.drains.map(({ end }) => end)).toContain('seen')
  },
  LIMIT_MS,
)

test(
  'entries that are acknowledged have ended, and what a tenant is never shown is no pass of its data',
  async () => {
    await engine()
    const { code, out } = await gate('acknowledged')
    const { verdict, evidence } = saved(out)
    expect(verdict.findings.map(({ finding }) => finding)).toEqual(['not-applicable', 'not-applicable'])
    expect(code).not.toBe(0)
    for (const { tenants: seen } of evidence.blocks) for (const { offered, ok } of seen) expect(ok).toBe(offered)
    // Nothing but what was asked: the engine's group is the only one, and no stream was made beside its own.
    expect((await stage.redis.keys('*')).sort()).toEqual(
      [...tenants.map((id) => `jobs:{${id}}`), ...tenants.map((id) => `results:{${id}}`)].sort(),
    )
    expect((await stage.redis.xinfo('GROUPS', 'jobs:{a}')) as unknown[]).toHaveLength(1)
  },
  LIMIT_MS,
)

test('a stream that no group works is an environment error, and nothing is written into it', async () => {
  const { code, stderr } = await gate('acknowledged')
  expect([code, stderr]).toEqual([
    4,
    expect.stringContaining('the stream jobs:{a} of quiet-1 has no consumer group engine'),
  ])
  expect(await stage.redis.keys('*')).toEqual([])
})
