// What is answered while Redis is there and does not serve: a 503 that says when to ask again, never an error of the
// engine. The Redis is real, and each state is one that an operator can bring about.

import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { openStand, type Stand, type TenantClient, until } from './stand.ts'

let stand: Stand
let tenant: TenantClient

beforeAll(async () => {
  stand = await openStand()
  tenant = await stand.tenant('stored')
})
afterAll(async () => await stand.close())
afterEach(async () => {
  await until(async () => ((await tenant.call('POST', '/v1/runs', { workflow: 'echo' })).status === 202 ? true : null))
  expect(stand.logLines.filter((line) => line.includes('a request failed'))).toEqual([])
})

const start = () => tenant.call('POST', '/v1/runs', { workflow: 'echo' })
const said = ({ status, json, headers }: Awaited<ReturnType<typeof start>>) => [
  status,
  json?.code,
  json?.retryAfterMs,
  headers['retry-after'],
]

test('without memory left, starts are refused as store-full, and reads go on', async () => {
  await stand.redis.config('SET', 'maxmemory', '1')
  try {
    expect(said(await start())).toEqual([503, 'store-full', 1000, '1'])
    expect(said(await stand.admin('POST', '/v1/tenants', { id: 'no-room' }))).toEqual([503, 'store-full', 1000, '1'])
    expect((await tenant.call('GET', '/v1/runs')).status).toBe(200)
  } finally {
    await stand.redis.config('SET', 'maxmemory', '0')
  }
})

test('a read-only replica refuses starts as store-unavailable', async () => {
  await stand.redis.replicaof('127.0.0.1', 1)
  try {
    expect(said(await start())).toEqual([503, 'store-unavailable', 1000, '1'])
  } finally {
    await stand.redis.replicaof('NO', 'ONE')
  }
})

test('while a script keeps Redis busy, everything is store-unavailable', async () => {
  await stand.redis.config('SET', 'busy-reply-threshold', '10')
  const looping = stand.redis.duplicate()
  const loop = looping.eval('while true do end', 0).catch(() => {})
  try {
    await until(async () => ((await stand.redis.ping().catch(() => 'busy')) === 'PONG' ? null : true))
    expect(said(await start())).toEqual([503, 'store-unavailable', 1000, '1'])
    expect(said(await tenant.call('GET', '/v1/slo'))).toEqual([503, 'store-unavailable', 1000, '1'])
    expect(said(await stand.anybody('GET', '/readyz'))).toEqual([503, 'store-unavailable', 1000, '1'])
  } finally {
    await stand.redis.script('KILL')
    await loop
    looping.disconnect()
    await stand.redis.config('SET', 'busy-reply-threshold', '5000')
  }
})

test('a connection that is cut in the midst of a request is store-unavailable', async () => {
  const answer = await until(async () => {
    // Holds what writes, so that the start is still without an answer when its connection is cut.
    await stand.redis.call('CLIENT', 'PAUSE', 2000, 'WRITE')
    const answering = start()
    await stand.redis.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')
    await stand.redis.call('CLIENT', 'UNPAUSE')
    const found = await answering
    return found.status === 202 ? null : found
  })
  expect(said(answer)).toEqual([503, 'store-unavailable', 1000, '1'])
})
