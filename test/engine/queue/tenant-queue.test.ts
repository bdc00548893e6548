// What can be asked of one tenant's queue: starting once, cancelling, dead letters, suspending, dropping, counting.

import { describe, expect, test } from 'vitest'
import { tenantKey } from '../../../engine/queue/keys.ts'
import { bucketMs } from '../../../engine/queue/meter.ts'
import type { TenantId } from '../../../engine/tenant.ts'
import { parseRecord } from '../../../engine/workflow.ts'
import { idleAndBusy } from '../shared.ts'
import { type Limits, type Node, until } from '../stage.ts'

const { stage, idle, busy } = await idleAndBusy()

let count = 0
const fresh = (node: Node, limits?: Limits, steps?: unknown[], more?: object) =>
  node.create(`t-${++count}`, limits, steps, more)

async function start(node: Node, tenant: TenantId, inputText = 'null', key?: string): Promise<string> {
  const admission = await node.queue.admit(tenant, 'w', inputText, key)
  if (admission.state !== 'admitted') throw new Error(`not admitted: ${JSON.stringify(admission)}`)
  return admission.entryId
}

async function read(tenant: TenantId, entryId: string) {
  const head = await stage.redis.hget(tenantKey.runs(tenant), entryId)
  if (head === null) return null
  return parseRecord(tenant, entryId, head, await stage.redis.hget(tenantKey.inputs(tenant), entryId))
}
const status = async (tenant: TenantId, entryId: string) => (await read(tenant, entryId))?.status

describe('an idempotency key', () => {
  test('gives the same run for the same start and a conflict for another, charging one start', async () => {
    const tenant = await fresh(idle, { startsPerMinute: 2 })
    const entryId = await start(idle, tenant, '{"a":1}', 'k')
    expect(await idle.queue.admit(tenant, 'w', '{"a":1}', 'k')).toEqual({ state: 'admitted', entryId, repeated: true })
    expect(await idle.queue.admit(tenant, 'w', '{"a":2}', 'k')).toEqual({ state: 'conflict' })
    await start(idle, tenant, '{"a":2}', 'another "key"')
    expect(await idle.queue.admit(tenant, 'w', '{}', 'third')).toMatchObject({ state: 'refused', code: 'rate-limited' })
    expect(await idle.queue.depth(tenant)).toEqual({ queued: 2, active: 0 })
  })

  test('means nothing to another tenant', async () => {
    const [one, other] = [await fresh(idle), await fresh(idle)]
    await start(idle, one, '1', 'k')
    expect(await idle.queue.admit(other, 'w', '2', 'k')).toMatchObject({ state: 'admitted', repeated: false })
  })

  test('is kept with the run, however it is spelt', async () => {
    const tenant = await fresh(idle)
    const key = 'a","status":"done'
    expect(await read(tenant, await start(idle, tenant, '1', key))).toMatchObject({ key, status: 'queued', input: 1 })
  })
})

describe('cancelling', () => {
  test('removes a run that waits', async () => {
    const tenant = await fresh(idle)
    const entryId = await start(idle, tenant)
    expect(await idle.queue.cancel(tenant, entryId)).toEqual({ state: 'cancelled', wasRunning: false })
    expect(await read(tenant, entryId)).toMatchObject({ status: 'cancelled' })
    expect(await idle.queue.depth(tenant)).toEqual({ queued: 0, active: 0 })
    expect(await idle.queue.cancel(tenant, entryId)).toEqual({ state: 'finished', status: 'cancelled' })
    expect(await idle.queue.cancel(tenant, '1-1')).toEqual({ state: 'unknown' })
  })

  test('aborts a run that runs, and lets the next one in', async () => {
    const tenant = await fresh(busy, { concurrentRuns: 1 }, [{ type: 'sleep', ms: 60_000 }])
    const [first, second] = [await start(busy, tenant), await start(busy, tenant)]
    await until(async () => (await status(tenant, first)) === 'running', 3000)
    expect(await busy.queue.cancel(tenant, first)).toEqual({ state: 'cancelled', wasRunning: true })
    await until(async () => (await status(tenant, second)) === 'running', 3000)
    expect(await read(tenant, first)).toMatchObject({ status: 'cancelled', startedAt: expect.any(Number) })
    expect(await busy.queue.depth(tenant)).toEqual({ queued: 0, active: 1 })
    await busy.queue.drop(tenant)
  })
})

describe('a dead letter', () => {
  test('is redriven once, into its own tenant, charged like any start', async () => {
    const [tenant, other] = [await fresh(busy, { startsPerMinute: 1 }), await fresh(busy)]
    await stage.redis.xadd(tenantKey.events(tenant), '*', 'v', '1', 'workflow', 'gone', 'input', '7')
    await until(async () => (await busy.queue.deadLetters(tenant, null, 10)).length === 1, 5000)
    const [letter] = await busy.queue.deadLetters(tenant, null, 10)
    if (!letter) throw new Error('no letter')
    expect(letter).toMatchObject({ reason: 'workflow-unknown', workflow: 'gone', inputText: '7', cut: false })
    expect(await busy.queue.redrive(tenant, letter.id)).toEqual({ state: 'unfit', reason: 'workflow-unknown' })
    await stage.redis.hset(tenantKey.workflows(tenant), 'gone', JSON.stringify({ steps: [{ type: 'echo' }] }))
    expect(await busy.queue.redrive(other, letter.id)).toEqual({ state: 'missing' })
    const redriven = await busy.queue.redrive(tenant, letter.id)
    if (redriven.state !== 'admitted') throw new Error(redriven.state)
    await until(async () => (await status(tenant, redriven.entryId)) === 'done', 3000)
    expect(await read(tenant, redriven.entryId)).toMatchObject({ source: 'redrive', input: 7, output: 7 })
    expect(await busy.queue.redrive(tenant, letter.id)).toEqual({ state: 'missing' })
    expect(await busy.queue.deadLetters(tenant, null, 10)).toEqual([])
    expect(await busy.queue.admit(tenant, 'w', '1')).toMatchObject({ code: 'rate-limited' })
  })

  test('that is larger than the limit allows by now is not redriven, as it would not be started', async () => {
    const tenant = await fresh(busy, { maxPayloadBytes: 5002, startsPerMinute: 1 })
    const input = JSON.stringify('x'.repeat(5000))
    await stage.redis.xadd(tenantKey.events(tenant), '*', 'workflow', 'later', 'input', input)
    await until(async () => (await busy.queue.deadLetters(tenant, null, 10)).length === 1, 5000)
    const [letter] = await busy.queue.deadLetters(tenant, null, 10)
    await stage.redis.hset(tenantKey.workflows(tenant), 'later', JSON.stringify({ steps: [{ type: 'echo' }] }))
    await busy.relimit(tenant, { maxPayloadBytes: 5001 })
    expect(await busy.queue.admit(tenant, 'later', input, 'k')).toEqual({ state: 'too-large', bytesMax: 5001 })
    expect(await busy.queue.redrive(tenant, letter?.id ?? '')).toEqual({ state: 'unfit', reason: 'payload-too-large' })
    await busy.relimit(tenant, { maxPayloadBytes: 5002 })
    // Neither refusal was charged to the one start a minute, and the key is good still.
    expect(await busy.queue.redrive(tenant, letter?.id ?? '')).toMatchObject({ state: 'admitted' })
    expect(await busy.queue.admit(tenant, 'later', input, 'k')).toMatchObject({ code: 'rate-limited' })
  })

  test.each([
    ['workflow-missing', []],
    ['tenant-mismatch', ['tenant', 'somebody', 'workflow', 'w']],
    ['input-malformed', ['workflow', 'w', 'input', '{"a":']],
    ['payload-too-large', ['workflow', 'w', 'input', JSON.stringify('x'.repeat(3000))]],
    ['workflow-unknown', ['workflow', 'w\n"', 'input', '1']],
  ])('says %s of a malformed entry', async (reason, fields) => {
    const tenant = await fresh(busy, { maxPayloadBytes: 2000 })
    await stage.redis.xadd(tenantKey.events(tenant), '*', 'v', '1', ...fields)
    await until(async () => (await busy.queue.deadLetters(tenant, null, 10)).length === 1, 5000)
    expect(await busy.queue.deadLetters(tenant, null, 10)).toMatchObject([
      { reason, cut: reason === 'payload-too-large' },
    ])
    expect((await busy.queue.meter(tenant)).totals).toMatchObject({ dead: 1, starts: 0 })
  })

  test('is made of a run that failed as often as it may, after its backoff', async () => {
    const steps = [{ type: 'model', ms: 0, failureRate: 1 }]
    const tenant = await fresh(busy, {}, steps, { retry: { attempts: 3, backoffMs: 20 } })
    const entryId = await start(busy, tenant, '"x"')
    await until(async () => (await status(tenant, entryId)) === 'dead', 5000)
    expect(await read(tenant, entryId)).toMatchObject({ attempt: 3, error: 'the model failed' })
    expect(await busy.queue.deadLetters(tenant, null, 10)).toMatchObject([{ entryId, reason: 'attempts-exhausted' }])
    expect((await busy.queue.meter(tenant)).totals).toMatchObject({ starts: 1, retries: 2, dead: 1 })
  })
})

test('a suspended tenant starts nothing and claims nothing until it is resumed', async () => {
  const tenant = await fresh(busy, {}, [{ type: 'sleep', ms: 100 }])
  const running = await start(busy, tenant)
  await until(async () => (await status(tenant, running)) === 'running', 3000)
  expect(await busy.queue.suspend(tenant)).toBe(true)
  expect(await busy.queue.admit(tenant, 'w', '1')).toEqual({ state: 'suspended' })
  const written = await stage.redis.xadd(tenantKey.events(tenant), '*', 'workflow', 'w', 'input', '1')
  await until(async () => (await status(tenant, running)) === 'done', 3000)
  expect(await status(tenant, written ?? '')).toBeUndefined()
  expect(await busy.queue.resume(tenant)).toBe(true)
  await until(async () => (await status(tenant, written ?? '')) === 'done', 3000)
  expect(await busy.queue.suspend(await fresh(busy))).toBe(true)
})

test('dropping says what it took, fences what runs, and leaves nothing', async () => {
  const tenant = await fresh(busy, { concurrentRuns: 2 }, [{ type: 'sleep', ms: 60_000 }])
  for (let i = 0; i < 5; i++) await start(busy, tenant)
  await until(async () => (await busy.queue.depth(tenant)).active === 2, 3000)
  expect(await busy.queue.drop(tenant)).toMatchObject({ queued: 3, fenced: 2, finished: 0, deadLetters: 0 })
  expect(await busy.queue.drop(tenant)).toBeNull()
  expect(await busy.queue.suspend(tenant)).toBe(false)
  const left = await stage.redis.keys(`*${tenant}*`)
  expect(left).toEqual([])
  await until(async () => JSON.stringify(await traces(tenant)) === '[]' || traces(tenant), 3000)
})

async function traces(tenant: TenantId): Promise<string[]> {
  const found: string[] = []
  for (const name of ['ready', 'parked', 'lease', 'idle', 'inflight', 'tenants']) {
    if ((await stage.redis.zscore(`sched:{busy}:${name}`, tenant)) !== null) found.push(name)
  }
  if (await stage.redis.hexists('sched:{busy}:lt', tenant)) found.push('lt')
  if (await stage.redis.sismember('sched:{busy}:dirty', tenant)) found.push('dirty')
  return found
}

describe('the meter', () => {
  test('counts runs, bytes, tokens and slot time', async () => {
    const steps = [{ type: 'model', ms: 30, tokens: 7 }, { type: 'echo' }]
    const tenant = await fresh(busy, {}, steps)
    for (let i = 0; i < 4; i++) await start(busy, tenant, '"abcd"')
    await until(async () => (await busy.queue.meter(tenant)).totals.done === 4, 3000)
    const { totals, minutes } = await busy.queue.meter(tenant)
    expect(totals).toMatchObject({ starts: 4, tokens: 28, bytesIn: 24, bytesOut: 4 * '"output":"abcd"'.length })
    expect(totals.slotMs).toBeGreaterThanOrEqual(4 * 29)
    expect(totals.slotMs).toBeLessThan(4 * 1000)
    const buckets = minutes.flatMap(({ responses }) => [...responses])
    expect(buckets.reduce((sum, [, runs]) => sum + runs, 0)).toBe(4)
    for (const [bucket] of buckets) expect(bucketMs(bucket)).toBeGreaterThan(29)
  })

  test('adds the time at each limit once', async () => {
    const tenant = await fresh(busy, { startsPerMinute: 3, concurrentRuns: 1 }, [{ type: 'sleep', ms: 200 }])
    for (let i = 0; i < 3; i++) await start(busy, tenant)
    for (let i = 0; i < 5; i++) await busy.queue.admit(tenant, 'w', '1')
    await until(async () => (await busy.queue.meter(tenant)).totals.done === 3, 5000)
    const { totals } = await busy.queue.meter(tenant)
    expect(totals.refusedRate).toBe(5)
    expect(totals.atRateMs).toBeGreaterThan(58_000)
    expect(totals.atRateMs).toBeLessThanOrEqual(60_001)
    // Two runs waited while one ran, twice; the third had nobody behind it.
    expect(totals.atCapMs).toBeGreaterThanOrEqual(395)
    expect(totals.atCapMs).toBeLessThan(2000)
  })
})
