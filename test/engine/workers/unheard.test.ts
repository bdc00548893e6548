// Messages between processes may be lost; what they only hasten must hold without them. Connections that listen are cut at
// the worst moment: just before the message, and in the midst of listening again.

import { pino } from 'pino'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { voidChannel } from '../../../engine/queue/keys.ts'
import { connect } from '../../../engine/redis.ts'
import { startProxy } from '../proxy.ts'
import { statusesOf } from '../queue/records.ts'
import { type Node, type Stage, startNode, startStage, until } from '../stage.ts'
import { Witness } from '../witness.ts'

const LEASE_MS = 600

let stage: Stage
let node: Node
let witness: Witness
beforeEach(async () => {
  stage = await startStage()
  node = await startNode(stage, { leaseMs: LEASE_MS })
  witness = new Witness()
})
afterEach(async () => {
  await node.stop()
  await stage.stop()
})

test('a cancelled run that its worker has not heard of keeps its place until its step has ended', async () => {
  const tenant = await node.create('t', { concurrentRuns: 2 }, [{ type: 'sleep', ms: 60_000 }])
  node.work({ slots: 8, witness })
  const ids: string[] = []
  for (let i = 0; i < 6; i++) {
    const admission = await node.queue.admit(tenant, 'w', 'null')
    if (admission.state === 'admitted') ids.push(admission.entryId)
  }
  for (let round = 0; round < 3; round++) {
    await until(() => witness.of(tenant).length === 2 * (round + 1), 4 * LEASE_MS)
    // The message goes to nobody: who listens is cut off for a moment.
    await stage.redis.call('CLIENT', 'KILL', 'TYPE', 'pubsub')
    for (const entryId of ids.slice(2 * round, 2 * round + 2)) {
      expect(await node.queue.cancel(tenant, entryId)).toEqual({ state: 'cancelled', wasRunning: true })
    }
  }
  await until(() => witness.of(tenant).every(({ endedNs }) => endedNs !== null), 4 * LEASE_MS)
  expect(witness.of(tenant).length).toBe(6)
  expect(witness.peak(tenant)).toBe(2)
  expect(await statusesOf(stage.redis, tenant)).toEqual({ cancelled: 6 })
  await until(async () => (await node.queue.depth(tenant)).active === 0, 4 * LEASE_MS)
})

test('a connection that is cut while it subscribes again listens again, and ends nobody', async () => {
  const proxy = await startProxy(stage.port)
  const behind = await startNode(stage, { url: proxy.url, namespace: 'behind', leaseMs: LEASE_MS })
  behind.work({ slots: 2, witness })
  const listeners = async () => Number((await stage.redis.pubsub('NUMSUB', voidChannel('behind')))[1])
  await until(async () => (await listeners()) === 1, 3000)
  const cut = proxy.cutAtNext(voidChannel('behind'))
  proxy.cut()
  await cut
  await until(async () => (await listeners()) === 1 || (await listeners()), 5000)
  await behind.stop()
  await proxy.stop()
})

test('a connection that is closed for good while it subscribes again takes nobody along', async () => {
  const proxy = await startProxy(stage.port)
  const unhandled: unknown[] = []
  const note = (reason: unknown) => unhandled.push(reason)
  process.on('unhandledRejection', note)
  for (let i = 0; i < 20; i++) {
    const subscriber = await connect(proxy.url, 'subscriber', pino({ level: 'silent' }))
    await subscriber.subscribe('a')
    await subscriber.ssubscribe('b')
    const again = new Promise((resolve) => subscriber.once('ready', resolve))
    proxy.cut()
    await again
    // Its own subscriptions have just been written, and not been answered.
    subscriber.disconnect()
    await new Promise((resolve) => setImmediate(resolve))
  }
  await new Promise((resolve) => setTimeout(resolve, 50))
  process.off('unhandledRejection', note)
  await proxy.stop()
  expect(unhandled).toEqual([])
})
