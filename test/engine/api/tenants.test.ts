// A tenant's life on a real Redis: created, changed, suspended, resumed, removed with a proof, created again with nothing old.

import { createHmac } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openStand, type Stand, until } from './stand.ts'

let stand: Stand

beforeAll(async () => {
  stand = await openStand()
})
afterAll(async () => await stand.close())

const patch = (id: string, body: unknown) => stand.admin('PATCH', `/v1/tenants/${id}`, body)

describe('changing', () => {
  test('what is named changes, the rest stays', async () => {
    await stand.tenant('changes', { concurrentRuns: 3 })
    const before = (await stand.admin('GET', '/v1/tenants/changes')).json
    const { json } = await patch('changes', { limits: { weight: 2 }, objectives: { responseMs: 250 } })
    expect(json).toMatchObject({
      state: 'active',
      limits: { ...(before?.limits as object), weight: 2, concurrentRuns: 3 },
      objectives: { responseMs: 250, inTimeRatio: 0.99, successRatio: 0.99 },
      createdAtMs: before?.createdAtMs,
    })
    expect((await stand.admin('GET', '/v1/tenants/changes')).json).toEqual(json)
  })

  test.each([
    { limits: { weight: 0 } },
    { limits: { no: 1 } },
    { state: 'gone' },
    { objectives: { successRatio: 1 } },
    { token: 'x' },
  ])('%j is refused and changes nothing', async (body) => {
    const before = (await stand.admin('GET', '/v1/tenants/changes')).text
    const answer = await patch('changes', body)
    expect([answer.status, answer.json?.code]).toEqual([400, 'request-invalid'])
    expect((await stand.admin('GET', '/v1/tenants/changes')).text).toBe(before)
  })

  test('a raised start rate lets the next start in at once', async () => {
    const tenant = await stand.tenant('raised', { startsPerMinute: 1 })
    await tenant.finished('echo')
    expect((await tenant.call('POST', '/v1/runs', { workflow: 'echo' })).status).toBe(429)
    await patch('raised', { limits: { startsPerMinute: 2 } })
    expect((await tenant.call('POST', '/v1/runs', { workflow: 'echo' })).status).toBe(202)
  })
})

test('a suspended tenant reads and starts nothing; resumed, it goes on where it was', async () => {
  const tenant = await stand.tenant('pauses')
  const run = await tenant.finished('echo', 1)
  expect((await patch('pauses', { state: 'suspended' })).json?.state).toBe('suspended')
  const refused = await tenant.call('POST', '/v1/runs', { workflow: 'echo' })
  expect([refused.status, refused.json?.code]).toEqual([403, 'tenant-suspended'])
  expect((await tenant.call('GET', `/v1/runs/${run.id}`)).json).toEqual(run)
  expect((await patch('pauses', { state: 'active' })).json?.state).toBe('active')
  expect(await tenant.finished('echo', 2)).toMatchObject({ status: 'done', output: 2 })
})

describe('removing', () => {
  test('says what was taken, proves that nothing is left, and fences what runs', async () => {
    const tenant = await stand.tenant('leaves', { concurrentRuns: 2 })
    await tenant.call('PUT', '/v1/workflows/slow', { steps: [{ type: 'sleep', ms: 60_000 }] })
    await tenant.finished('echo', 'leaves-canary')
    for (let i = 0; i < 5; i++) await tenant.call('POST', '/v1/runs', { workflow: 'slow' })
    await until(async () => ((await stand.admin('GET', '/v1/tenants/leaves')).json?.active === 2 ? true : null))
    const { status, json } = await stand.admin('DELETE', '/v1/tenants/leaves')
    expect(status).toBe(200)
    expect(json).toMatchObject({
      tenant: 'leaves',
      removed: { queued: 3, fenced: 2, finished: 1, deadLetters: 0 },
      remaining: [],
    })
    const { seal, ...said } = json ?? {}
    expect(seal).toBe(createHmac('sha256', stand.adminToken).update(JSON.stringify(said)).digest('hex'))
    expect((said.removed as { keys: number }).keys).toBeGreaterThan(5)
    const left = await stand.redis.keys('*leaves*')
    expect(left).toEqual([])
    for (const key of await stand.redis.keys('sched:*')) {
      expect(JSON.stringify(await contentOf(key))).not.toContain('leaves')
    }
    expect((await tenant.call('GET', '/v1/runs')).json?.code).toBe('credentials-invalid')
    const again = await stand.admin('DELETE', '/v1/tenants/leaves')
    expect([again.status, again.json?.code]).toEqual([404, 'tenant-unknown'])
  })

  async function contentOf(key: string): Promise<unknown> {
    switch (await stand.redis.type(key)) {
      case 'zset':
        return await stand.redis.zrange(key, 0, '-1')
      case 'hash':
        return await stand.redis.hgetall(key)
      case 'set':
        return await stand.redis.smembers(key)
      case 'list':
        return await stand.redis.lrange(key, 0, -1)
      default:
        return await stand.redis.get(key)
    }
  }

  test('the same id again sees nothing old, and the old token is nobody’s, in every process', async () => {
    const elsewhere = await stand.another()
    const old = await stand.tenant('reborn')
    const run = await old.finished('echo', 'old')
    await old.call('PUT', '/v1/workflows/own', { steps: [{ type: 'echo' }] })
    const there = stand.callAt(elsewhere, old.headers)
    expect((await there('GET', '/v1/runs')).status).toBe(200)
    await stand.admin('DELETE', '/v1/tenants/reborn')
    const fresh = await stand.tenant('reborn')
    await until(async () => ((await there('GET', '/v1/runs')).status === 401 ? true : null), 1500)
    expect((await old.call('GET', '/v1/runs')).status).toBe(401)
    expect((await fresh.call('GET', '/v1/runs')).json).toEqual({ runs: [], cursor: null })
    expect((await fresh.call('GET', '/v1/workflows/own')).status).toBe(404)
    expect((await fresh.call('GET', `/v1/runs/${run.id}`)).json?.code).toBe('run-unknown')
    expect((await fresh.call('GET', '/v1/slo')).json).toMatchObject({ usage: { runs: 0, slotSeconds: 0 } })
    expect(JSON.stringify((await fresh.call('GET', '/v1/export')).text)).not.toContain('"old"')
  })

  test('created and removed by many at once, a tenant is there wholly or not at all', async () => {
    const answers = await Promise.all(
      Array.from({ length: 60 }, (_, i) =>
        i % 3 === 0
          ? stand.admin('DELETE', '/v1/tenants/contended')
          : stand.admin('POST', '/v1/tenants', { id: 'contended' }),
      ),
    )
    const count = (status: number) => answers.filter((answer) => answer.status === status).length
    expect(count(200) + count(201) + count(404) + count(409)).toBe(60)
    expect(count(201) - count(200)).toBeLessThanOrEqual(1)
    await stand.admin('DELETE', '/v1/tenants/contended')
    expect(await stand.redis.zscore('sched:{test}:tenants', 'contended')).toBe(null)
    await stand.tenant('contended')
    expect(await stand.redis.zscore('sched:{test}:tenants', 'contended')).toBe('0')
  })

  test('a creation that was refused leaves nothing', async () => {
    const before = (await stand.redis.keys('*')).sort()
    expect((await stand.admin('POST', '/v1/tenants', { id: 'half', limits: { weight: -1 } })).status).toBe(400)
    expect((await stand.admin('POST', '/v1/tenants', { id: 'changes' })).json?.code).toBe('tenant-exists')
    expect((await stand.redis.keys('*')).sort()).toEqual(before)
  })
})

test('while Redis does not answer, requests end in 503 within its deadline, and all is well afterwards', async () => {
  const tenant = await stand.tenant('patient')
  await stand.redis.call('CLIENT', 'PAUSE', 2600, 'ALL')
  const answers = await Promise.all([
    stand.anybody('GET', '/readyz'),
    tenant.call('POST', '/v1/runs', { workflow: 'echo' }),
    tenant.call('GET', '/v1/runs'),
  ])
  for (const answer of answers) expect([answer.status, answer.json?.code]).toEqual([503, 'store-unavailable'])
  expect((await stand.anybody('GET', '/healthz')).status).toBe(200)
  await until(async () => ((await stand.anybody('GET', '/readyz')).status === 200 ? true : null))
  expect((await tenant.finished('echo', 1)).status).toBe('done')
})

test('no token is in a log line or in Redis', async () => {
  const logged = stand.logLines.join('')
  const dump: string[] = []
  for (const key of await stand.redis.keys('tenant:*:ctl')) dump.push(JSON.stringify(await stand.redis.hgetall(key)))
  expect(stand.tokens.length).toBeGreaterThan(4)
  for (const token of stand.tokens) {
    expect(logged).not.toContain(token)
    expect(dump.join('')).not.toContain(token)
  }
})
