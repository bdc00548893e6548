// Starting once, cancelling, dead letters: through the API, on a real Redis.

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openStand, type Stand, type TenantClient, until } from './stand.ts'

let stand: Stand
let a: TenantClient
let b: TenantClient

beforeAll(async () => {
  stand = await openStand()
  a = await stand.tenant('start-a')
  b = await stand.tenant('start-b')
})
afterAll(async () => await stand.close())

const problem = ({ status, json }: { status: number; json: Record<string, unknown> | null }) => [status, json?.code]

describe('an idempotency key', () => {
  const start = (who: TenantClient, input: unknown, key: string) =>
    who.call('POST', '/v1/runs', { workflow: 'echo', input }, { 'idempotency-key': key })

  test('starts one run however often it is sent, and refuses another start under it', async () => {
    const answers = await Promise.all(Array.from({ length: 10 }, () => start(a, { n: 1 }, 'k')))
    expect(new Set(answers.map(({ json }) => json?.id)).size).toBe(1)
    expect(answers.map(({ status }) => status)).toEqual(Array(10).fill(202))
    expect(answers.filter(({ headers }) => headers['idempotency-replayed'] === 'true')).toHaveLength(9)
    expect(problem(await start(a, { n: 2 }, 'k'))).toEqual([409, 'idempotency-conflict'])
  })

  test('of one tenant means nothing to another', async () => {
    const [mine, theirs] = [await start(a, 'x', 'shared'), await start(b, 'y', 'shared')]
    expect([mine.status, theirs.status, theirs.headers['idempotency-replayed']]).toEqual([202, 202, undefined])
    expect(mine.json?.id).not.toBe(theirs.json?.id)
  })

  test.each(['', 'a b', 'x'.repeat(256), 'é'])('%j is none', async (key) => {
    expect(problem(await start(a, 1, key).catch(() => ({ status: 400, json: { code: 'request-invalid' } })))).toEqual([
      400,
      'request-invalid',
    ])
  })
})

describe('cancelling', () => {
  test('ends a run that runs and one that waits; again it changes nothing; a finished run is a conflict', async () => {
    const tenant = await stand.tenant('cancels', { concurrentRuns: 1 })
    await tenant.call('PUT', '/v1/workflows/slow', { steps: [{ type: 'sleep', ms: 60_000 }] })
    const done = await tenant.finished('echo')
    const ids: unknown[] = []
    for (let i = 0; i < 2; i++) ids.push((await tenant.call('POST', '/v1/runs', { workflow: 'slow' })).json?.id)
    await until(async () => ((await stand.admin('GET', '/v1/tenants/cancels')).json?.active === 1 ? true : null))
    for (const id of [ids[1], ids[0], ids[0]]) {
      const answer = await tenant.call('POST', `/v1/runs/${id}/cancel`)
      expect([answer.status, answer.json]).toEqual([200, { id, status: 'cancelled' }])
    }
    for (const id of ids) expect((await tenant.call('GET', `/v1/runs/${id}`)).json?.status).toBe('cancelled')
    expect(problem(await tenant.call('POST', `/v1/runs/${done.id}/cancel`))).toEqual([409, 'run-finished'])
    const events = (await tenant.call('GET', `/v1/runs/${ids[1]}/events`)).json?.events as { event: string }[]
    expect(events.map(({ event }) => event)).toEqual(['queued', 'cancelled'])
  })

  test('a foreign run and an unknown one answer alike, and the foreign one goes on', async () => {
    await b.call('PUT', '/v1/workflows/wait', { steps: [{ type: 'sleep', ms: 300 }, { type: 'echo' }] })
    const { json } = await b.call('POST', '/v1/runs', { workflow: 'wait', input: 'kept' })
    const foreign = await a.call('POST', `/v1/runs/${json?.id}/cancel`)
    const unknown = await a.call('POST', '/v1/runs/run_start-b_1-1/cancel')
    expect(problem(foreign)).toEqual([404, 'run-unknown'])
    expect(foreign.text).toBe(unknown.text)
    const run = await until(async () => {
      const found = (await b.call('GET', `/v1/runs/${json?.id}`)).json
      return found?.status === 'done' ? found : null
    })
    expect(run.output).toBe('kept')
  })
})

test('a tenant whose queue is full is refused, told when to ask again, and let in when a run has ended', async () => {
  const tenant = await stand.tenant('full', { concurrentRuns: 1, maxQueued: 1 })
  await tenant.call('PUT', '/v1/workflows/slow', { steps: [{ type: 'sleep', ms: 60_000 }] })
  const start = () => tenant.call('POST', '/v1/runs', { workflow: 'slow' })
  const running = (await start()).json?.id
  await until(async () => ((await stand.admin('GET', '/v1/tenants/full')).json?.active === 1 ? true : null))
  expect((await start()).status).toBe(202)
  for (const answer of [await start(), await start()]) {
    expect([...problem(answer), answer.headers['retry-after']]).toEqual([429, 'queue-full', '1'])
    expect(answer.json?.retryAfterMs).toBeGreaterThan(900)
    expect(answer.json?.retryAfterMs).toBeLessThanOrEqual(1000)
  }
  const counts = async () => (await stand.admin('GET', '/v1/tenants/full')).json
  expect(await counts()).toMatchObject({ queued: 1, active: 1 })
  expect((await tenant.call('GET', '/v1/slo')).json).toMatchObject({ windows: [{ refused: { rateLimited: 0 } }, {}] })
  await tenant.call('POST', `/v1/runs/${running}/cancel`)
  await until(async () => ((await start()).status === 202 ? true : null))
})

describe('dead letters', () => {
  async function bury(who: TenantClient, workflow: string, count: number): Promise<void> {
    for (let i = 0; i < count; i++) {
      await stand.redis.xadd(`tenant:{${who.id}}:workflow:events`, '*', 'v', '1', 'workflow', workflow, 'input', `${i}`)
    }
    await until(async () => (await letters(who)).length >= count || null)
  }
  const letters = async (who: TenantClient, query = '') =>
    ((await who.call('GET', `/v1/dead-letters${query}`)).json?.deadLetters ?? []) as Record<string, unknown>[]

  test('are listed page by page, and redriven once, into the tenant they came from', async () => {
    const tenant = await stand.tenant('buries')
    await bury(tenant, 'later', 5)
    const first = (await tenant.call('GET', '/v1/dead-letters?limit=3')).json ?? {}
    const rest = await letters(tenant, `?limit=3&cursor=${first.cursor}`)
    const all = [...(first.deadLetters as Record<string, unknown>[]), ...rest]
    expect(all.map(({ input }) => input)).toEqual(['0', '1', '2', '3', '4'])
    expect(all[0]).toMatchObject({ reason: 'workflow-unknown', workflow: 'later', cut: false })
    const redrive = (who: TenantClient, id: unknown) => who.call('POST', `/v1/dead-letters/${id}/redrive`)
    expect(problem(await redrive(tenant, all[2]?.id))).toEqual([409, 'dead-letter-unfit'])
    await tenant.call('PUT', '/v1/workflows/later', { steps: [{ type: 'echo' }] })
    const [foreign, unknown] = [await redrive(a, all[2]?.id), await redrive(a, 'dead_start-a_1-1')]
    expect(problem(foreign)).toEqual([404, 'dead-letter-unknown'])
    expect(foreign.text).toBe(unknown.text)
    const { status, json } = await redrive(tenant, all[2]?.id)
    expect(status).toBe(202)
    const run = await until(async () => {
      const found = (await tenant.call('GET', `/v1/runs/${json?.id}`)).json
      return found?.status === 'done' ? found : null
    })
    expect(run).toMatchObject({ source: 'redrive', output: 2 })
    expect(problem(await redrive(tenant, all[2]?.id))).toEqual([404, 'dead-letter-unknown'])
    expect((await letters(tenant)).map(({ input }) => input)).toEqual(['0', '1', '3', '4'])
    expect(problem(await a.call('GET', `/v1/dead-letters?cursor=${first.cursor}`))).toEqual([400, 'cursor-invalid'])
  })
})
