// What the queue counts of time and of minutes: stretches at a limit, each in its own minutes, and totals over a minute's edge.

import { describe, expect, test } from 'vitest'
import { nowMs } from '../../../engine/deletion.ts'
import { tenantKey, tenantKeys } from '../../../engine/queue/keys.ts'
import type { TenantId } from '../../../engine/tenant.ts'
import { idleAndBusy } from '../shared.ts'
import { until } from '../stage.ts'

const MINUTE_MS = 60_000

const { stage, idle, busy } = await idleAndBusy()

const now = () => nowMs(stage.redis)
const ctl = (tenant: TenantId, field: string) => stage.redis.hget(tenantKey.ctl(tenant), field)
const meterKey = (tenant: TenantId) => tenantKeys(tenant).find((key) => key.endsWith(':meter')) ?? ''

/** A tenant whose queue is full from some time between the two readings of Redis' clock on. */
async function full(id: string): Promise<{ tenant: TenantId; entryId: string; fromMs: [number, number] }> {
  const tenant = await idle.create(id, { maxQueued: 1 })
  const admission = await idle.queue.admit(tenant, 'w', '1')
  if (admission.state !== 'admitted') throw new Error(admission.state)
  const before = await now()
  expect(await idle.queue.admit(tenant, 'w', '1')).toMatchObject({ code: 'queue-full' })
  const fromMs: [number, number] = [before, await now()]
  await until(async () => (await now()) > fromMs[1] + 50, 1000)
  return { tenant, entryId: admission.entryId, fromMs }
}

/** That the stretch ended between these two times, and is counted, once. */
async function endedBetween(tenant: TenantId, [first, last]: [number, number], from: number, to: number) {
  expect(await ctl(tenant, 'fullSince')).toBeNull()
  const { totals, minutes } = await idle.queue.meter(tenant)
  expect(totals.atQueueMs).toBeGreaterThanOrEqual(from - last)
  expect(totals.atQueueMs).toBeLessThanOrEqual(to - first)
  expect(minutes.reduce((sum, { counts }) => sum + counts.atQueueMs, 0)).toBe(totals.atQueueMs)
}

describe('time at the bound of the queue', () => {
  test('ends when a waiting run is cancelled, also when nothing else comes', async () => {
    const { tenant, entryId, fromMs } = await full('cancels')
    const from = await now()
    await idle.queue.cancel(tenant, entryId)
    await endedBetween(tenant, fromMs, from, await now())
  })

  test('ends when the entry that waited is gone from the stream', async () => {
    const { tenant, entryId, fromMs } = await full('trims')
    await stage.redis.xdel(tenantKey.events(tenant), entryId)
    const from = await now()
    await idle.library.call('reconcile', tenantKeys(tenant), [tenant, tenantKey.wake(tenant), 0])
    await endedBetween(tenant, fromMs, from, await now())
  })

  test('ends when a run is claimed', async () => {
    const { tenant, fromMs } = await full('claims')
    const from = await now()
    await busy.queue.register(tenant)
    busy.queue.touch(tenant)
    await until(async () => (await idle.queue.meter(tenant)).totals.done === 1, 3000)
    await endedBetween(tenant, fromMs, from, await now())
  })
})

test('a stretch at the cap is given to the minutes in which it was, not to the one in which it ends', async () => {
  const tenant = await busy.create('stretch', { concurrentRuns: 1 }, [{ type: 'sleep', ms: 300 }])
  for (let i = 0; i < 2; i++) await busy.queue.admit(tenant, 'w', '1')
  await until(async () => Number(await ctl(tenant, 'capSince')) > 0, 3000)
  const since = (await now()) - 20 * MINUTE_MS
  await stage.redis.hset(tenantKey.ctl(tenant), 'capSince', since)
  await until(async () => (await busy.queue.meter(tenant)).totals.done === 2, 3000)
  const { totals, minutes } = await busy.queue.meter(tenant)
  expect(totals.atCapMs).toBeGreaterThanOrEqual(20 * MINUTE_MS)
  expect(totals.atCapMs).toBeLessThan(20 * MINUTE_MS + 3000)
  const first = Math.floor(since / MINUTE_MS)
  const inEach = new Map(minutes.map(({ minute, counts }) => [minute - first, counts.atCapMs]))
  expect(inEach.get(0)).toBe(MINUTE_MS - (since % MINUTE_MS))
  for (let at = 1; at < 20; at++) expect(inEach.get(at)).toBe(MINUTE_MS)
  expect([...inEach.values()].reduce((sum, ms) => sum + ms, 0)).toBe(totals.atCapMs)
})

test('totals go on over the edges of minutes, and each minute keeps its own counts', async () => {
  const tenant = await busy.create('rolls')
  const runs = async (count: number, total: number) => {
    for (let i = 0; i < count; i++) await busy.queue.admit(tenant, 'w', '"x"')
    await until(async () => (await busy.queue.meter(tenant)).totals.done === total, 3000)
  }
  await runs(10, 10)
  // As if the minute that runs were an earlier one: the next count begins a new one.
  for (let edge = 1; edge <= 3; edge++) {
    await stage.redis.hincrby(meterKey(tenant), 'minute', 10 * (edge - 4))
    await runs(5, 10 + 5 * edge)
  }
  const { totals, minutes } = await busy.queue.meter(tenant)
  expect(totals).toMatchObject({ done: 25, starts: 25, bytesIn: 25 * 3 })
  expect(minutes.reduce((sum, { counts }) => sum + counts.done, 0)).toBe(25)
  const responses = minutes.flatMap((minute) => [...minute.responses.values()])
  expect(responses.reduce((sum, n) => sum + n, 0)).toBe(25)
  // One more when a real edge lies among them.
  expect(minutes.length).toBeGreaterThanOrEqual(4)
})
