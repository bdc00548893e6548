// A consumer group that was lost, as after an XGROUP DESTROY or a restored stream: nothing that waits is lost with it, and
// nobody turns in circles over it.

import { afterEach, beforeEach, expect, test } from 'vitest'
import { CONSUMER_GROUP, schedulerKeys, tenantKey } from '../../../engine/queue/keys.ts'
import type { StepRunner } from '../../../engine/steps/steps.ts'
import type { TenantId } from '../../../engine/tenant.ts'
import { type Node, type Stage, startNode, startStage, until } from '../stage.ts'
import { Witness } from '../witness.ts'
import { endingsOf, recordsOf, statusesOf } from './records.ts'

let stage: Stage
let node: Node
let witness: Witness
beforeEach(async () => {
  stage = await startStage()
  node = await startNode(stage)
  witness = new Witness()
})
afterEach(async () => {
  await node.stop()
  await stage.stop()
})

/** Every run fails at its first attempt. */
const secondTime: StepRunner = async (_step, { attempt }) => {
  if (attempt === 1) throw new Error('not yet')
  return null
}
const loseGroup = (tenant: TenantId) => stage.redis.xgroup('DESTROY', tenantKey.events(tenant), CONSUMER_GROUP)

async function waitingForRetry(count: number, backoffMs: number): Promise<TenantId> {
  const tenant = await node.create('t', {}, [{ type: 'echo' }], { retry: { attempts: 2, backoffMs } })
  for (let i = 0; i < count; i++) await node.queue.admit(tenant, 'w', 'null')
  node.work({ slots: 8, witness, runStep: secondTime })
  // All are told of, and the turn that told it is over: what reads the stream next is the retry itself.
  const { ready, lease } = schedulerKeys('test')
  await until(async () => {
    const waiting = [...(await recordsOf(stage.redis, tenant)).values()].filter(({ attempt }) => attempt === 2)
    const inTurn = (await stage.redis.zscore(ready, tenant)) ?? (await stage.redis.zscore(lease, tenant))
    return (waiting.length === count && inTurn === null) || waiting
  }, 3000)
  return tenant
}

async function expectDoneOnce(tenant: TenantId, count: number, attempts: number): Promise<void> {
  const done = async () => JSON.stringify(await statusesOf(stage.redis, tenant)) === JSON.stringify({ done: count })
  await until(async () => (await done()) || (await statusesOf(stage.redis, tenant)), 8000)
  expect([...(await endingsOf(stage.redis, tenant)).values()]).toEqual(Array(count).fill(1))
  expect(witness.of(tenant).length).toBe(count * attempts)
  expect(await node.queue.depth(tenant)).toEqual({ queued: 0, active: 0 })
}

test('runs that wait in the stream are claimed, each once', async () => {
  const tenant = await node.create('t')
  for (let i = 0; i < 40; i++) await node.queue.admit(tenant, 'w', 'null')
  expect(await loseGroup(tenant)).toBe(1)
  node.work({ slots: 8, witness })
  await expectDoneOnce(tenant, 40, 1)
})

test('runs that run go on, and are not claimed a second time', async () => {
  const tenant = await node.create('t', { concurrentRuns: 4 }, [{ type: 'sleep', ms: 200 }])
  for (let i = 0; i < 12; i++) await node.queue.admit(tenant, 'w', 'null')
  node.work({ slots: 8, witness })
  await until(() => witness.of(tenant).length === 4, 3000)
  await loseGroup(tenant)
  await expectDoneOnce(tenant, 12, 1)
  expect(witness.peak(tenant)).toBe(4)
})

test('runs that wait for another attempt get it', async () => {
  const tenant = await waitingForRetry(6, 500)
  expect(await loseGroup(tenant)).toBe(1)
  await expectDoneOnce(tenant, 6, 2)
})

test('while all that is left waits for another attempt, nobody asks in circles', async () => {
  const tenant = await waitingForRetry(6, 3_600_000)
  await loseGroup(tenant)
  await node.queue.admit(tenant, 'w', '"last"')
  await until(() => witness.of(tenant).length === 7, 3000)
  const turns = async () => {
    const stats = await stage.redis.info('commandstats')
    return Number(/^cmdstat_xreadgroup:calls=(\d+)/m.exec(stats)?.[1] ?? 0)
  }
  const before = await turns()
  // A second of an idle engine, by Redis' own clock.
  const [from = '0'] = await stage.redis.time()
  await until(async () => Number((await stage.redis.time())[0]) >= Number(from) + 2, 5000)
  expect((await turns()) - before).toBeLessThanOrEqual(10)
})
