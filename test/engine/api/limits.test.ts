// Limits that are changed while the engine runs, through the API: each holds for what comes next, in every process.

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openStand, type Stand, type TenantClient, until } from './stand.ts'

let stand: Stand
beforeAll(async () => {
  stand = await openStand()
})
afterAll(async () => await stand.close())

const limit = async (tenant: TenantClient, limits: Record<string, number>) => {
  const { status } = await stand.admin('PATCH', `/v1/tenants/${tenant.id}`, { limits })
  expect(status).toBe(200)
}
const start = async (tenant: TenantClient, workflow: string, input?: unknown) => {
  const { status, json } = await tenant.call('POST', '/v1/runs', { workflow, input })
  return { said: [status, ...(json?.code ? [json.code] : [])], id: String(json?.id) }
}
const run = async (tenant: TenantClient, id: string) => (await tenant.call('GET', `/v1/runs/${id}`)).json
const stuck = async (id: string, limits: Record<string, number> = {}) => {
  const tenant = await stand.tenant(id, limits)
  await tenant.call('PUT', '/v1/workflows/stuck', { steps: [{ type: 'sleep', ms: 60_000 }] })
  return tenant
}
const running = (tenant: TenantClient, id: string) =>
  until(async () => ((await run(tenant, id))?.status === 'running' ? true : null))

describe('a changed limit holds for what comes next', () => {
  test('maxQueued: raised, one more may wait; lowered, none', async () => {
    const tenant = await stuck('queues', { concurrentRuns: 1, maxQueued: 1 })
    await running(tenant, (await start(tenant, 'stuck')).id)
    expect((await start(tenant, 'stuck')).said).toEqual([202])
    expect((await start(tenant, 'stuck')).said).toEqual([429, 'queue-full'])
    await limit(tenant, { maxQueued: 2 })
    expect((await start(tenant, 'stuck')).said).toEqual([202])
    expect((await start(tenant, 'stuck')).said).toEqual([429, 'queue-full'])
    await limit(tenant, { maxQueued: 1 })
    expect((await start(tenant, 'stuck')).said).toEqual([429, 'queue-full'])
    // What was admitted under the higher bound stays.
    expect((await stand.admin('GET', '/v1/tenants/queues')).json).toMatchObject({ active: 1, queued: 2 })
  })

  test('maxPayloadBytes: raised and lowered, also in a process that remembers the old one, and for entries of the stream', async () => {
    const tenant = await stand.tenant('payloads', { maxPayloadBytes: 100 })
    const elsewhere = stand.callAt(await stand.another(), tenant.headers)
    const there = async (bytes: number) =>
      (await elsewhere('POST', '/v1/runs', { workflow: 'echo', input: 'x'.repeat(bytes - 2) })).status
    const here = async (bytes: number) => (await start(tenant, 'echo', 'x'.repeat(bytes - 2))).said[0]
    const letters = async () => {
      const { json } = await tenant.call('GET', '/v1/dead-letters')
      return ((json?.deadLetters ?? []) as { reason: string }[]).map(({ reason }) => reason)
    }
    expect([await here(100), await here(101)]).toEqual([202, 413])
    await limit(tenant, { maxPayloadBytes: 200 })
    expect([await here(200), await here(201)]).toEqual([202, 413])
    expect([await there(200), await there(201)]).toEqual([202, 413])
    await limit(tenant, { maxPayloadBytes: 150 })
    // It knew 200 a moment ago, and Redis decides.
    expect([await there(151), await there(150), await here(151), await here(150)]).toEqual([413, 202, 413, 202])
    const write = (bytes: number) =>
      stand.redis.xadd(
        'tenant:{payloads}:workflow:events',
        '*',
        'workflow',
        'echo',
        'input',
        `"${'x'.repeat(bytes - 2)}"`,
      )
    const [fits] = [await write(150), await write(151)]
    await until(async () => ((await letters()).length === 1 ? true : null))
    expect(await letters()).toEqual(['payload-too-large'])
    await until(async () => ((await run(tenant, `run_payloads_${fits}`))?.status === 'done' ? true : null))
  })

  test('maxRunMs: for attempts that begin later; one that runs keeps the deadline that it began with', async () => {
    const tenant = await stuck('deadlines', { maxRunMs: 60_000 })
    const before = (await start(tenant, 'stuck')).id
    await running(tenant, before)
    await limit(tenant, { maxRunMs: 150 })
    const after = (await start(tenant, 'stuck')).id
    const ended = await until(async () => {
      const seen = await run(tenant, after)
      return seen?.endedAt === undefined ? null : seen
    })
    expect(ended.status).toBe('timed-out')
    const tookMs = Number(ended.endedAt) - Number(ended.startedAt)
    expect(tookMs).toBeGreaterThanOrEqual(150)
    expect(tookMs).toBeLessThan(10_000)
    expect(await run(tenant, before)).toMatchObject({ status: 'running' })
    await limit(tenant, { maxRunMs: 60_000 })
    const again = (await start(tenant, 'stuck')).id
    await running(tenant, again)
    const deadlines = (
      await stand.redis.hmget('tenant:{deadlines}:runs', ...[before, again].map((id) => id.split('_')[2] ?? ''))
    ).map((head) => JSON.parse(head ?? '{}') as { startedAt: number; deadline: number })
    expect(deadlines.map(({ startedAt, deadline }) => deadline - startedAt)).toEqual([60_000, 60_000])
  })
})
