// Attempts that are over stay over: what a silent worker says late, what was cancelled between two attempts, and a run whose
// deadline came before its lease ended.

import { afterEach, beforeEach, expect, test } from 'vitest'
import { tenantKeys } from '../../../engine/queue/keys.ts'
import type { Claim } from '../../../engine/queue/queue.ts'
import type { TenantId } from '../../../engine/tenant.ts'
import { endingsOf, recordsOf } from '../queue/records.ts'
import { type Node, type Stage, startNode, startStage, until } from '../stage.ts'
import { Witness } from '../witness.ts'

let stage: Stage
beforeEach(async () => {
  stage = await startStage()
})
afterEach(async () => await stage.stop())

const entryOf = async (node: Node, tenant: TenantId, workflow = 'w'): Promise<string> => {
  const admission = await node.queue.admit(tenant, workflow, 'null')
  if (admission.state !== 'admitted') throw new Error(admission.state)
  return admission.entryId
}

/** The next run that can be claimed, once it can. */
async function claimOf(node: Node): Promise<Claim> {
  const claims: Claim[] = []
  await until(async () => {
    await node.queue.audit()
    claims.push(...(await node.queue.next(1)).claims)
    return claims.length > 0
  }, 8000)
  await node.queue.settle()
  if (!claims[0]) throw new Error('no claim')
  return claims[0]
}

test('what the first attempt says after its lease does not count: the second one ends the run', async () => {
  const [silent, other] = await Promise.all([0, 1].map(() => startNode(stage, { leaseMs: 400 })))
  if (!silent || !other) throw new Error('no nodes')
  for (const node of [silent, other]) node.queue.onWork(() => true)
  const tenant = await other.create('t')
  const entryId = await entryOf(other, tenant)
  silent.queue.touch(tenant)
  const first = await claimOf(silent)
  const second = await claimOf(other)
  expect([first.entryId, first.attempt, second.entryId, second.attempt]).toEqual([entryId, 1, entryId, 2])
  expect(await silent.queue.complete(first, { status: 'done', output: 'stale' })).toBe(false)
  expect((await recordsOf(stage.redis, tenant)).get(entryId)).toMatchObject({ status: 'running', attempt: 2 })
  expect(await other.queue.depth(tenant)).toEqual({ queued: 0, active: 1 })
  expect(await other.queue.complete(second, { status: 'done', output: 'fresh' })).toBe(true)
  expect(await silent.queue.complete(first, { status: 'done', output: 'stale' })).toBe(false)
  expect((await recordsOf(stage.redis, tenant)).get(entryId)).toMatchObject({ attempt: 2, output: 'fresh' })
  expect(await endingsOf(stage.redis, tenant)).toEqual(new Map([[entryId, 1]]))
  await Promise.all([silent.stop(), other.stop()])
})

test('a run whose worker died is timed out at its deadline, without another attempt, though its lease is longer', async () => {
  const [dying, other] = await Promise.all([0, 1].map(() => startNode(stage, { leaseMs: 5000 })))
  if (!dying || !other) throw new Error('no nodes')
  dying.queue.onWork(() => true)
  const tenant = await other.create('t', { maxRunMs: 200 })
  const entryId = await entryOf(other, tenant)
  dying.queue.touch(tenant)
  expect(await claimOf(dying)).toMatchObject({ entryId, attempt: 1 })
  // It says nothing more.
  const witness = new Witness()
  other.work({ slots: 2, witness })
  await until(async () => (await recordsOf(stage.redis, tenant)).get(entryId)?.status !== 'running', 8000)
  expect((await recordsOf(stage.redis, tenant)).get(entryId)).toMatchObject({ status: 'timed-out', attempt: 1 })
  // Another run of the tenant goes through all that a turn does: nothing is left to be tried again.
  await entryOf(other, tenant)
  await until(async () => (await other.queue.meter(tenant)).totals.done === 1, 3000)
  expect(witness.of(tenant).filter((seen) => seen.entryId === entryId)).toEqual([])
  expect((await other.queue.meter(tenant)).totals).toMatchObject({ timedOut: 1, retries: 0, dead: 0 })
  await Promise.all([dying.stop(), other.stop()])
})

test('a run that is cancelled while it waits for its retry does not run again', async () => {
  const node = await startNode(stage)
  const witness = new Witness()
  node.work({ slots: 2, witness })
  const steps = [{ type: 'model', ms: 0, failureRate: 1 }]
  const backoffMs = 400
  const tenant = await node.create('t', {}, steps, { retry: { attempts: 3, backoffMs } })
  await node.library.call('define', tenantKeys(tenant), ['well', JSON.stringify({ steps: [{ type: 'echo' }] })])
  const entryId = await entryOf(node, tenant)
  const record = async () => (await recordsOf(stage.redis, tenant)).get(entryId)
  await until(async () => (await record())?.attempt === 2, 3000)
  const retries = tenantKeys(tenant).find((key) => key.endsWith(':retry')) ?? ''
  const dueMs = Number(await stage.redis.zscore(retries, entryId))
  expect(dueMs).toBeGreaterThan(0)
  expect(await node.queue.cancel(tenant, entryId)).toEqual({ state: 'cancelled', wasRunning: false })
  // When its retry would have been due, the tenant has turns.
  await until(async () => Number((await stage.redis.time())[0]) * 1000 > dueMs + 1000, 5000)
  for (let runs = 1; runs <= 3; runs++) {
    await entryOf(node, tenant, 'well')
    await until(async () => (await node.queue.meter(tenant)).totals.done === runs, 3000)
  }
  expect(await record()).toMatchObject({ status: 'cancelled', attempt: 2 })
  expect(
    witness
      .of(tenant)
      .filter((seen) => seen.entryId === entryId)
      .map(({ attempt }) => attempt),
  ).toEqual([1])
  expect((await endingsOf(stage.redis, tenant)).get(entryId)).toBe(1)
  expect(await node.queue.depth(tenant)).toEqual({ queued: 0, active: 0 })
  await node.stop()
})
