// A tenant that is removed in the midst of its work leaves nothing with the scheduler, whatever is told of it afterwards;
// and the same id used again is a newcomer.

import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { schedulerKeys } from '../../../engine/queue/keys.ts'
import type { TenantId } from '../../../engine/tenant.ts'
import { type Node, type Stage, startNode, startStage, until } from '../stage.ts'
import { Witness } from '../witness.ts'
import { Turns } from './turns.ts'

let stage: Stage
let node: Node
let other: Node
beforeEach(async () => {
  stage = await startStage()
  node = await startNode(stage)
  other = await startNode(stage)
})
afterEach(async () => {
  await Promise.all([node.stop(), other.stop()])
  await stage.stop()
})

/** Every place of the scheduler that names the tenant, and every key of it. */
async function traces(tenant: TenantId): Promise<string[]> {
  const { redis } = stage
  const keys = schedulerKeys('test')
  const found = await redis.keys(`tenant:{${tenant}}:*`)
  for (const name of ['ready', 'parked', 'lease', 'idle', 'inflight', 'tenants'] as const) {
    if ((await redis.zscore(keys[name], tenant)) !== null) found.push(name)
  }
  if ((await redis.hexists(keys.lt, tenant)) === 1) found.push('lt')
  if ((await redis.sismember(keys.dirty, tenant)) === 1) found.push('dirty')
  if ((await redis.lrange(keys.bell, 0, -1)).includes(tenant)) found.push('bell')
  return found
}

const claimAll = async (from: Node, tenant: TenantId, count: number) => {
  from.queue.onWork(() => true)
  from.queue.touch(tenant)
  const claims = []
  for (let i = 0; i < 20 && claims.length < count; i++) claims.push(...(await from.queue.next(count)).claims)
  expect(claims.length).toBe(count)
  return claims
}

describe('nothing is left of a removed tenant', () => {
  test('when its runs are told of only afterwards', async () => {
    const tenant = await node.create('t')
    for (let i = 0; i < 12; i++) await node.queue.admit(tenant, 'w', 'null')
    const claims = await claimAll(node, tenant, 8)
    await other.queue.drop(tenant)
    const told = claims.map((claim) => node.queue.complete(claim, { status: 'done', output: null, tookMs: 5000 }))
    await node.queue.settle()
    expect(await Promise.all(told)).toEqual(Array(8).fill(false))
    for (let i = 0; i < 5; i++) await node.queue.next(4)
    await node.queue.settle()
    expect(await traces(tenant)).toEqual([])
  })

  test('when its correction was kept back by another process', async () => {
    const tenant = await node.create('t')
    const busy = await node.create('busy')
    for (let i = 0; i < 4; i++) await node.queue.admit(tenant, 'w', 'null')
    const turns = new Turns(other, 'test')
    turns.arrive(tenant)
    const [picked] = (await turns.rounds.round(1)).picked
    if (picked === undefined) throw new Error('no turn')
    // A turn that is over, and slot time beyond its charge: neither was told when the tenant went.
    turns.rounds.end(tenant, 'more', 50)
    turns.rounds.correct(tenant, 5000, picked.tag + 50)
    await node.queue.drop(tenant)
    turns.arrive(busy)
    expect(await turns.pick(8)).not.toContain(tenant)
    turns.rounds.correct(tenant, 5000, picked.tag + 50)
    await turns.pick(8)
    expect(await traces(tenant)).toEqual([])
  })

  test('when a start of it was heard of only when it was gone', async () => {
    const tenant = await node.create('t')
    node.queue.onWork(() => true)
    await node.queue.admit(tenant, 'w', 'null')
    await other.queue.drop(tenant)
    node.queue.touch(tenant)
    for (let i = 0; i < 3; i++) expect((await node.queue.next(1)).claims).toEqual([])
    await node.queue.settle()
    expect(await traces(tenant)).toEqual([])
  })

  test('when it is removed under load, again and again', async () => {
    const witness = new Witness()
    for (const each of [node, other]) each.work({ slots: 6, witness })
    const steady = await node.create('steady', {}, [{ type: 'sleep', ms: 5 }])
    const ids: TenantId[] = []
    for (let life = 0; life < 8; life++) {
      const tenant = await node.create(`brief-${life}`, {}, [{ type: 'sleep', ms: 8 + life }])
      ids.push(tenant)
      for (let i = 0; i < 60; i++) {
        await (i % 2 === 0 ? node : other).queue.admit(tenant, 'w', 'null')
        if (i % 10 === 0) await node.queue.admit(steady, 'w', 'null')
      }
      await until(() => witness.of(tenant).length > 15, 3000)
      expect(await (life % 2 === 0 ? node : other).queue.drop(tenant)).not.toBeNull()
    }
    // All that was in flight, and all that was kept back, has been told.
    await until(() => witness.of(steady).length === 48, 5000)
    await until(() => witness.sightings.every(({ endedNs }) => endedNs !== null), 3000)
    for (const each of [node, other]) await each.queue.settle()
    await node.queue.admit(steady, 'w', 'null')
    await until(() => witness.of(steady).length === 49, 3000)
    await until(async () => {
      const left = (await Promise.all(ids.map((id) => traces(id)))).flat()
      return left.length === 0 || left
    }, 3000)
  })
})

describe('an id used again', () => {
  test('is a newcomer, with nothing of what the last one had used', async () => {
    const first = await node.create('t')
    const busy = await node.create('busy')
    const turns = new Turns(other, 'test')
    turns.arrive(first, busy)
    expect(await turns.pick(1)).toEqual([first])
    turns.rounds.end(first, 'none', 50_000)
    await turns.take(20, () => ['more', 40])
    expect(await turns.tag(first)).toBeGreaterThan(40_000)
    await node.queue.drop(first)
    expect(await turns.tag(first)).toBeNull()
    const again = await node.create('t')
    turns.arrive(again)
    // Half a quantum before virtual time: its turn comes next.
    expect(await turns.pick(1)).toEqual([again])
    turns.rounds.end(again, 'more', 40)
    expect(await turns.take(8, () => ['more', 40])).toContain(again)
  })

  test('hears nothing of the last one’s runs, told late', async () => {
    const first = await node.create('t')
    for (let i = 0; i < 4; i++) await node.queue.admit(first, 'w', '"old"')
    const claims = await claimAll(node, first, 4)
    await other.queue.drop(first)
    const again = await other.create('t')
    const told = claims.map((claim) => node.queue.complete(claim, { status: 'done', output: null, tookMs: 60_000 }))
    await node.queue.settle()
    expect(await Promise.all(told)).toEqual(Array(4).fill(false))
    await other.queue.admit(again, 'w', '"new"')
    for (let i = 0; i < 3; i++) await node.queue.next(0)
    await node.queue.settle()
    const turns = new Turns(other, 'test')
    const tag = (await turns.tag(again)) ?? 0
    // The minute of slot time would stand here.
    expect(Math.abs(tag - (await turns.virtualTime()))).toBeLessThanOrEqual(1000)
    expect((await other.queue.meter(again)).totals).toMatchObject({ done: 0, starts: 0, slotMs: 0 })
    const claimed = await claimAll(other, again, 1)
    expect(claimed.map(({ inputText }) => inputText)).toEqual(['"new"'])
  })
})
