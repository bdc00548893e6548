// Recovery after a death, counted from the death: whatever was waiting or running is in somebody's slot again within one
// lease and one poll. A worker stands by, so that nothing but the engine is measured.

import { once } from 'node:events'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { CrashPoint } from '../../../engine/queue/queue.ts'
import type { TenantId } from '../../../engine/tenant.ts'
import { statusesOf } from '../queue/records.ts'
import { type Node, type Stage, startNode, startStage, until } from '../stage.ts'
import { Witness } from '../witness.ts'
import { type WorkerProcesses, workerProcesses } from './worker-process.ts'

const LEASE_MS = 500
/** The reaper looks every 250 ms; the audit needs 1 s for its round, or for its role to change hands. */
const POLL_MS = 1250

let stage: Stage
/** Admits; works from a death on. */
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

const allDone = async (tenant: TenantId, count: number) => {
  const statuses = await statusesOf(stage.redis, tenant)
  return statuses.done === count || statuses
}

/** When runs were seen to start after the death, milliseconds since then. */
const startedAfterMs = (tenant: TenantId, diedNs: bigint): number[] =>
  witness.of(tenant).flatMap(({ startedNs }) => (startedNs >= diedNs ? [Number(startedNs - diedNs) / 1e6] : []))

test.each<[CrashPoint, number]>([
  ['after-bell', 1],
  ['after-pick', 1],
  ['after-claim', 2],
  ['before-complete', 2],
])('a death %s is made good within lease and poll', async (point, after) => {
  // As many as the one that stands by can take at once: none waits for another.
  const runs = 8
  const tenant = await node.create('t', { concurrentRuns: runs }, [{ type: 'sleep', ms: 20 }])
  const doomed = await processes.launch({ CRASH_AT: point, CRASH_AFTER: String(after) })
  const died = once(doomed, 'exit')
  for (let i = 0; i < runs; i++) await node.queue.admit(tenant, 'w', 'null')
  await died
  const diedNs = process.hrtime.bigint()
  node.work({ slots: 2 * runs, witness })
  await until(async () => await allDone(tenant, runs), 4 * (LEASE_MS + POLL_MS))
  const startsMs = startedAfterMs(tenant, diedNs)
  console.log(`${point}: ${startsMs.length} runs again after ${Math.max(...startsMs).toFixed(0)} ms at most`)
  expect(startsMs.length).toBeGreaterThan(0)
  expect(Math.max(...startsMs)).toBeLessThanOrEqual(LEASE_MS + POLL_MS)
})

test('a death after admit, before the bell, is made good within a poll', async () => {
  const tenant = await node.create('t', {}, [{ type: 'sleep', ms: 5 }])
  node.work({ slots: 4, witness })
  const doomed = await processes.launch({ CRASH_AT: 'after-admit', CRASH_AFTER: '1', STARTS_FOR: tenant })
  if (doomed.signalCode === null) await once(doomed, 'exit')
  const diedNs = process.hrtime.bigint()
  await until(async () => await allDone(tenant, 1), 4 * POLL_MS)
  const [seen] = witness.of(tenant)
  expect(Number((seen?.startedNs ?? 0n) - diedNs) / 1e6).toBeLessThanOrEqual(POLL_MS)
})
