// The proof of a deletion looks where it says that it looked: a trace in any of the places is found.

import { afterAll, beforeAll, expect, test } from 'vitest'
import { proofOf } from '../../engine/deletion.ts'
import { schedulerKeys, tenantKeys } from '../../engine/queue/keys.ts'
import { parseTenantId } from '../../engine/tenant.ts'
import { type Stage, startStage } from './stage.ts'

let stage: Stage
beforeAll(async () => {
  stage = await startStage()
})
afterAll(async () => await stage.stop())

const dropped = { keys: 0, queued: 0, fenced: 0, finished: 0, deadLetters: 0, schedulerEntries: 0 }

test('a trace in any place that the proof names is found, and it names every place where one can be', async () => {
  const { redis } = stage
  const tenant = parseTenantId('traced')
  const prove = () => proofOf(tenant, dropped, null, { redis, namespace: 'proof', sealKey: 'key' })
  const { vt, auditor, ...places } = schedulerKeys('proof')
  for (const key of [places.ready, places.parked, places.lease, places.idle, places.inflight, places.tenants]) {
    await redis.zadd(key, 0, 'another')
  }
  await redis.hset(places.lt, 'another', 0)
  await redis.sadd(places.dirty, 'another')
  await redis.rpush(places.bell, 'another', '')
  await redis.hset(vt, 'vt', 1)
  await redis.set(auditor, 'a process')
  const clean = await prove()
  expect(clean.remaining).toEqual([])
  expect(clean.looked.toSorted()).toEqual([...tenantKeys(tenant), ...Object.values(places)].sort())

  for (const key of tenantKeys(tenant)) await redis.set(key, 1)
  for (const key of [places.ready, places.parked, places.lease, places.idle, places.inflight, places.tenants]) {
    await redis.zadd(key, 0, tenant)
  }
  await redis.hset(places.lt, tenant, 0)
  await redis.sadd(places.dirty, tenant)
  await redis.rpush(places.bell, tenant)
  const traced = await prove()
  expect(traced.remaining).toEqual(traced.looked)
})
