// Nothing is lost and nothing ends twice: with worker processes killed at each of the five places, and with connections to
// Redis cut in the middle of their work. Seen by the witness beside the engine, over a Unix socket.

import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { tenantKey } from '../../../engine/queue/keys.ts'
import type { CrashPoint } from '../../../engine/queue/queue.ts'
import type { TenantId } from '../../../engine/tenant.ts'
import { startProxy } from '../proxy.ts'
import { type Node, type Stage, startNode, startStage, until } from '../stage.ts'
import { Witness } from '../witness.ts'
import { type WorkerProcesses, workerProcesses } from './worker-process.ts'

const LEASE_MS = 1000
/** The reaper's and the audit's period, and a slow machine. */
const POLL_MS = 1500

let stage: Stage
/** Admits; works only where a test says so. */
let node: Node
let witness: Witness
let processes: WorkerProcesses

beforeEach(async () => {
  stage = await startStage()
  node = await startNode(stage, { leaseMs: LEASE_MS })
  witness = new Witness()
  processes = await workerProcesses(witness, { STAGE_URL: stage.url, LEASE_MS: String(LEASE_MS) })
})
afterEach(async () => {
  await processes.stop()
  await node.stop()
  await stage.stop()
})

async function heads(tenant: TenantId) {
  const texts = await stage.redis.hvals(tenantKey.runs(tenant))
  return texts.map((text) => JSON.parse(text) as { status: string; attempt: number })
}

/** Each run ended once: in its record, in the history, and nothing of it is left anywhere. */
async function expectAllDone(tenant: TenantId, count: number): Promise<void> {
  expect((await heads(tenant)).map(({ status }) => status)).toEqual(Array(count).fill('done'))
  const history = await stage.redis.xrange(tenantKey.history(tenant), '-', '+')
  const ids = history.map(([, fields]) => (JSON.parse(fields[1] ?? '{}') as { id: string }).id)
  expect(new Set(ids).size).toBe(count)
  expect(ids.length).toBe(count)
  expect(await node.queue.depth(tenant)).toEqual({ queued: 0, active: 0 })
}

const done = async (tenant: TenantId, count: number) => {
  const all = await heads(tenant)
  return all.filter(({ status }) => status === 'done').length === count || all
}

describe('a worker killed', () => {
  test.each<[CrashPoint, number]>([
    ['after-bell', 1],
    ['after-pick', 1],
    ['after-claim', 2],
    ['before-complete', 2],
  ])('%s loses no run, and another worker has it within lease and poll', async (point, after) => {
    const tenant = await node.create('t', { concurrentRuns: 3 }, [{ type: 'sleep', ms: 20 }])
    const doomed = await processes.launch({ CRASH_AT: point, CRASH_AFTER: String(after) })
    const died = once(doomed, 'exit')
    for (let i = 0; i < 12; i++) await node.queue.admit(tenant, 'w', 'null')
    const [, signal] = (await died) as [number | null, string | null]
    expect(signal).toBe('SIGKILL')
    const diedNs = process.hrtime.bigint()
    await processes.launch({})
    const before = performance.now()
    await until(async () => await done(tenant, 12), 10_000)
    expect(performance.now() - before).toBeLessThan(2 * LEASE_MS + POLL_MS)
    await expectAllDone(tenant, 12)
    expect(witness.peak(tenant, diedNs)).toBeLessThanOrEqual(3)
    const again = (await heads(tenant)).filter(({ attempt }) => attempt > 1).length
    // Only what was claimed has an attempt to lose.
    if (point === 'after-claim' || point === 'before-complete') expect(again).toBeGreaterThan(0)
    else expect(again).toBe(0)
  })

  test('after admit, before its bell, leaves a run that the audit finds', async () => {
    const tenant = await node.create('t', {}, [{ type: 'sleep', ms: 5 }])
    await processes.launch({})
    const doomed = await processes.launch({ CRASH_AT: 'after-admit', CRASH_AFTER: '1', STARTS_FOR: tenant })
    if (doomed.signalCode === null) await once(doomed, 'exit')
    await until(async () => await done(tenant, 1), POLL_MS + LEASE_MS)
    await expectAllDone(tenant, 1)
  })

  test('by the run itself, again and again, is stopped by a dead letter, and its neighbour does not notice', async () => {
    const tenant = await node.create('poison', {}, [{ type: 'sleep', ms: 60_000 }])
    const other = await node.create('neighbour', {}, [{ type: 'sleep', ms: 5 }])
    await node.queue.admit(tenant, 'w', 'null')
    let restarts = 0
    await until(async () => {
      if (processes.running().length === 0) {
        restarts++
        await processes.launch({ CRASH_AT: 'after-claim' })
      }
      return (await heads(tenant))[0]?.status === 'dead' || (await heads(tenant))
    }, 15_000)
    expect(await node.queue.deadLetters(tenant, null, 9)).toMatchObject([{ reason: 'attempts-exhausted' }])
    expect((await heads(tenant))[0]?.attempt).toBe(3)
    expect(restarts).toBeLessThanOrEqual(5)
    await processes.launch({})
    for (let i = 0; i < 5; i++) await node.queue.admit(other, 'w', 'null')
    await until(async () => await done(other, 5), 5000)
    await expectAllDone(other, 5)
  }, 30_000)
})

test('connections cut again and again lose no run and end none twice, and the cap holds', async () => {
  const proxy = await startProxy(stage.port)
  const behind = await Promise.all([0, 1].map(() => startNode(stage, { url: proxy.url, leaseMs: LEASE_MS })))
  for (const each of behind) each.work({ slots: 6, witness })
  const tenants = await Promise.all(
    ['a', 'b', 'c'].map((id) => node.create(id, { concurrentRuns: 4 }, [{ type: 'sleep', ms: 15 }])),
  )
  const each = 60
  for (let round = 0; round < 6; round++) {
    for (const tenant of tenants) for (let i = 0; i < each / 6; i++) await node.queue.admit(tenant, 'w', 'null')
    await sleep(20)
    proxy.cut()
  }
  for (const tenant of tenants) await until(async () => await done(tenant, each), 15_000)
  for (const tenant of tenants) {
    await expectAllDone(tenant, each)
    expect(witness.peak(tenant)).toBeLessThanOrEqual(4)
  }
  await Promise.all(behind.map((one) => one.stop()))
  await proxy.stop()
}, 40_000)
