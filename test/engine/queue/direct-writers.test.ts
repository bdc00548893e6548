// What a tenant's own event source may do to its stream, out of haste or malice: the cost stays its own, its later starts
// still work, and whatever it did away with ends as a dead letter instead of waiting for ever.

import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { tenantKey, tenantKeys } from '../../../engine/queue/keys.ts'
import type { TenantId } from '../../../engine/tenant.ts'
import { parseRecord } from '../../../engine/workflow.ts'
import { type Node, type Stage, startNode, startStage, until } from '../stage.ts'
import { quantile, Witness } from '../witness.ts'
import { recordsOf, statusesOf } from './records.ts'

const LARGEST = '18446744073709551615-18446744073709551615'

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

async function write(tenant: TenantId, count: number, fields: readonly string[]): Promise<void> {
  const pipeline = stage.redis.pipeline()
  for (let i = 0; i < count; i++) pipeline.xadd(tenantKey.events(tenant), '*', ...fields)
  await pipeline.exec()
}

const reasonsOf = async (tenant: TenantId) => {
  const letters = await node.queue.deadLetters(tenant, null, 20_000)
  return letters.map(({ reason }) => reason)
}

const done = async (tenant: TenantId, count: number) => {
  const statuses = await statusesOf(stage.redis, tenant)
  return statuses.done === count || statuses
}

test('a flood of malformed entries is charged for its turns: the other’s run waits a few of them', async () => {
  node.queue.onWork(() => true)
  const honest = await node.create('honest')
  const flood = await node.create('flood')
  const runs = 30
  for (let i = 0; i < runs; i++) await node.queue.admit(honest, 'w', 'null')
  await write(flood, 5000, ['workflow', 'nowhere', 'input', '1'])
  const gaps: number[] = []
  let turns = 0
  // Runs of 40 ms: one a turn, as long as one turn may be.
  for (let calls = 0; gaps.length < runs && calls < 1000; calls++) {
    if (gaps.length === 5 && turns === 0) node.queue.touch(flood)
    const { claims } = await node.queue.next(1)
    turns++
    for (const claim of claims) {
      void node.queue.complete(claim, { status: 'done', output: null, tookMs: 40 })
      gaps.push(turns - 1)
      turns = 0
    }
  }
  expect(gaps.length).toBe(runs)
  console.log(`turns of the flood between two runs of the other: ${gaps.join(' ')}`)
  // What it has of a newcomer's credit, and its share: not the 50 turns that the flood takes to drain.
  expect(Math.max(...gaps)).toBeLessThanOrEqual(10)
  expect(quantile(gaps, 0.5)).toBeLessThanOrEqual(3)
  await until(async () => {
    await node.queue.next(1)
    return (await node.queue.depth(flood)).queued === 0
  }, 5000)
  expect(await reasonsOf(flood)).toEqual(Array(5000).fill('workflow-unknown'))
})

test('a flood of small malformed entries does not jam its tenant, whatever the number of free slots', async () => {
  node.queue.onWork(() => true)
  const tenant = await node.create('t')
  await write(tenant, 10_000, ['x', '1'])
  await node.queue.admit(tenant, 'w', 'null')
  node.queue.touch(tenant)
  let claims = 0
  let turns = 0
  await until(async () => {
    claims += (await node.queue.next(10_000)).claims.length
    turns++
    return claims === 1
  }, 20_000)
  // 100 entries a turn are looked at in vain.
  expect(turns).toBeGreaterThanOrEqual(100)
  expect(await stage.redis.xlen(tenantKey.events(tenant))).toBe(1)
  expect((await reasonsOf(tenant)).length).toBe(10_000)
})

test('a suspended tenant’s stream is held to its bound, and what is within it runs later', async () => {
  const tenant = await node.create('t', { maxQueued: 50 })
  node.work({ slots: 4, witness })
  await node.queue.suspend(tenant)
  await write(tenant, 600, ['workflow', 'w', 'input', '1'])
  await until(async () => {
    const { queued } = await node.queue.depth(tenant)
    return queued <= 50 || queued
  }, 5000)
  expect(await node.queue.depth(tenant)).toEqual({ queued: 50, active: 0 })
  expect(witness.of(tenant)).toEqual([])
  expect(await reasonsOf(tenant)).toEqual(Array(550).fill('queue-full'))
  // Refused by its own limit: counted as that, never as runs that ended badly.
  const { totals } = await node.queue.meter(tenant)
  expect([totals.refusedQueue, totals.dead ?? 0]).toEqual([550, 0])
  await node.queue.resume(tenant)
  await until(async () => await done(tenant, 50), 5000)
  expect(witness.of(tenant).length).toBe(50)
})

test('input that is not JSON is a dead letter, and whatever is JSON runs', async () => {
  const tenant = await node.create('t')
  node.work({ slots: 4, witness })
  const not = [
    'NaN',
    '-Infinity',
    'inf',
    'nan',
    '0x10',
    '01',
    '[-012]',
    '1.',
    '+1',
    '"\u0001"',
    '["a\nb"]',
    '{"a":nUll}',
    '1 2',
    '',
  ]
  const json = [
    '0',
    '-0.5e+10',
    '1E3',
    '[]',
    ' {"a" : [true,false,null]}\n',
    '"NaN 0x10 \\" 01 \\\\"',
    '"\u007f\u00e9{"',
    '[10,-1]',
  ]
  expect(json.filter((text) => JSON.stringify(JSON.parse(text)) === undefined)).toEqual([])
  for (const input of [...not, ...json]) await write(tenant, 1, ['workflow', 'w', 'input', input])
  await until(async () => await done(tenant, json.length), 5000)
  expect(
    witness
      .of(tenant)
      .map(({ inputText }) => inputText)
      .sort(),
  ).toEqual([...json].sort())
  expect(await reasonsOf(tenant)).toEqual(Array(not.length).fill('input-malformed'))
})

test('an entry with a key that was used is not taken, whoever used it', async () => {
  const tenant = await node.create('t')
  node.work({ slots: 4, witness })
  await node.queue.admit(tenant, 'w', '"by the API"', 'used')
  await until(async () => await done(tenant, 1), 5000)
  const fields = (input: string, key: string) => ['workflow', 'w', 'input', `"${input}"`, 'key', key]
  await write(tenant, 1, fields('the same key', 'used'))
  await write(tenant, 1, fields('direct', 'new'))
  await write(tenant, 1, fields('direct again', 'new'))
  await write(tenant, 1, fields('no key', ''))
  await until(async () => (await done(tenant, 3)) === true && (await reasonsOf(tenant)).length === 2, 5000)
  const ran = witness.of(tenant).map(({ inputText }) => inputText)
  expect(ran.sort()).toEqual(['"by the API"', '"direct"', '"no key"'])
  const letters = await node.queue.deadLetters(tenant, null, 10)
  expect(letters.map(({ reason, inputText }) => [reason, inputText])).toEqual([
    ['key-used', '"the same key"'],
    ['key-used', '"direct again"'],
  ])
})

test('a lowered bound of the queue sheds nothing that was admitted, and costs its tenant no turn', async () => {
  node.queue.onWork(() => true)
  const tenant = await node.create('t')
  for (let i = 0; i < 300; i++) await node.queue.admit(tenant, 'w', 'null')
  await node.relimit(tenant, { maxQueued: 5 })
  const reply = (await node.library.call('turn', tenantKeys(tenant), [
    ...[tenant, tenantKey.wake(tenant), 60_000, 5000, 40, 1, 100, 0],
  ])) as unknown[]
  // One run: 50 ms as it is estimated, 0.25 ms for the turn; nothing for the 100 entries that might have been shed.
  expect(Number(reply[2])).toBe(50.25)
  expect((await node.queue.depth(tenant)).queued).toBe(299)
})

describe('an entry with the largest id of all', () => {
  const adds = (tenant: TenantId, id: string) =>
    stage.redis.xadd(tenantKey.events(tenant), id, 'workflow', 'w', 'input', '1')

  test.each(['before', 'after'])(
    'breaks no later start of its tenant, written %s the workers are there',
    async (when) => {
      const tenant = await node.create('t')
      const other = await node.create('neighbour')
      if (when === 'after') node.work({ slots: 4, witness })
      const [first, between] = [await node.queue.admit(tenant, 'w', '1'), await adds(tenant, LARGEST)]
      expect(first.state).toBe('admitted')
      expect(between).toBe(LARGEST)
      const states: string[] = []
      for (let i = 0; i < 5; i++) {
        const start = async () => (await node.queue.admit(tenant, 'w', '2')).state
        await until(async () => (await start().catch(String)) === 'admitted' || (await start().catch(String)), 3000)
        states.push('admitted')
        if (when === 'before' && i === 0) node.work({ slots: 4, witness })
      }
      expect((await node.queue.admit(other, 'w', '3')).state).toBe('admitted')
      expect(states.length).toBe(5)
      await until(async () => await done(other, 1), 5000)
      await until(async () => (await statusesOf(stage.redis, tenant)).queued === undefined, 5000)
      const statuses = await statusesOf(stage.redis, tenant)
      expect(statuses.done).toBeGreaterThanOrEqual(6)
      expect(Object.keys(statuses)).toEqual(['done'])
      const letters = await node.queue.deadLetters(tenant, null, 10)
      expect(letters.map(({ entryId }) => entryId)).toEqual([LARGEST])
      // A direct writer, too, can go on.
      await write(tenant, 1, ['workflow', 'w', 'input', '"direct"'])
      await until(() => witness.of(tenant).some(({ inputText }) => inputText === '"direct"'), 5000)
    },
  )
})

describe('a writer that trims the stream', () => {
  test('leaves no run waiting for ever: those are dead letters, and its own entry runs', async () => {
    const tenant = await node.create('t')
    const neighbour = await node.create('neighbour')
    for (let i = 0; i < 20; i++) await node.queue.admit(tenant, 'w', String(i))
    await stage.redis.xadd(tenantKey.events(tenant), 'MAXLEN', 1, '*', 'workflow', 'w', 'input', '"direct"')
    node.work({ slots: 4, witness })
    for (let i = 0; i < 5; i++) await node.queue.admit(neighbour, 'w', 'null')
    await until(async () => {
      const statuses = await statusesOf(stage.redis, tenant)
      return (statuses.dead === 20 && statuses.done === 1) || statuses
    }, 8000)
    expect(witness.of(tenant).map(({ inputText }) => inputText)).toEqual(['"direct"'])
    expect(await reasonsOf(tenant)).toEqual(Array(20).fill('entry-lost'))
    // What is told of them can be read: they ended, and never began.
    for (const [id, head] of Object.entries(await stage.redis.hgetall(tenantKey.runs(tenant)))) {
      const run = parseRecord(tenant, id, head, null)
      if (run.status !== 'done')
        expect(run).toMatchObject({ status: 'dead', error: expect.stringContaining('removed') })
    }
    expect(await node.queue.depth(tenant)).toEqual({ queued: 0, active: 0 })
    await until(async () => await done(neighbour, 5), 5000)
  })

  test('takes nothing from runs that run, nor from those admitted later', async () => {
    const tenant = await node.create('t', { concurrentRuns: 2 }, [{ type: 'sleep', ms: 150 }])
    node.work({ slots: 4, witness })
    for (let i = 0; i < 6; i++) await node.queue.admit(tenant, 'w', String(i))
    await until(() => witness.of(tenant).length === 2, 3000)
    await stage.redis.xtrim(tenantKey.events(tenant), 'MAXLEN', 0)
    for (let i = 6; i < 9; i++) await node.queue.admit(tenant, 'w', String(i))
    await until(async () => {
      const statuses = await statusesOf(stage.redis, tenant)
      return (statuses.dead === 4 && statuses.done === 5) || statuses
    }, 8000)
    const ran = witness.of(tenant).map(({ inputText }) => Number(inputText))
    expect(ran.sort((a, b) => a - b)).toEqual([0, 1, 6, 7, 8])
    expect(witness.peak(tenant)).toBe(2)
    expect((await recordsOf(stage.redis, tenant)).size).toBe(9)
    expect(await node.queue.depth(tenant)).toEqual({ queued: 0, active: 0 })
  })
})
