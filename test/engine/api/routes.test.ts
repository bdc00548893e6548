// The routes as a client sees them, on a real Redis: who may ask, what is answered.

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openStand, type Stand, type TenantClient } from './stand.ts'

let stand: Stand
let acme: TenantClient
let other: TenantClient

beforeAll(async () => {
  stand = await openStand()
  acme = await stand.tenant('acme')
  other = await stand.tenant('acme2')
})
afterAll(async () => await stand.close())

describe('who may ask', () => {
  test.each([
    ['no token', { 'x-tenant-id': 'acme' }, 401, 'credentials-missing'],
    [
      'a token of nobody',
      { authorization: 'Bearer pw_acme_0123456789abcdef', 'x-tenant-id': 'acme' },
      401,
      'credentials-invalid',
    ],
    ['another scheme', { authorization: 'Basic YTpi', 'x-tenant-id': 'acme' }, 401, 'credentials-missing'],
  ])('%s is refused', async (_what, headers, status, code) => {
    const { json, ...answer } = await stand.anybody('GET', '/v1/runs', undefined, headers)
    expect([answer.status, json?.code, json?.type]).toEqual([status, code, `/problems/${code}`])
    expect(answer.headers['www-authenticate']).toBe('Bearer')
  })

  test.each(['acme2', 'ACME', 'acme, acme2', 'acme|acme2', '', '*', '__proto__'])(
    'x-tenant-id %j beside the token of acme is refused',
    async (named) => {
      const answer = await acme.call('GET', '/v1/runs', undefined, { 'x-tenant-id': named })
      expect([answer.status, answer.json?.code]).toEqual([403, 'tenant-mismatch'])
    },
  )

  test('no x-tenant-id is refused', async () => {
    const { authorization } = acme.headers
    expect((await stand.anybody('GET', '/v1/runs', undefined, { authorization })).json?.code).toBe('tenant-mismatch')
  })

  test('a tenant is no administrator, and the administrator is no tenant', async () => {
    expect((await acme.call('GET', '/v1/tenants/acme')).status).toBe(401)
    expect((await stand.admin('GET', '/v1/runs', undefined, { 'x-tenant-id': 'acme' })).status).toBe(401)
  })

  test('a tenant named in the query or the body is an error, not a choice', async () => {
    expect((await acme.call('GET', '/v1/runs?tenant=acme2')).json?.code).toBe('request-invalid')
    const start = { workflow: 'echo', tenant: 'acme2' }
    expect((await acme.call('POST', '/v1/runs', start)).json?.code).toBe('request-invalid')
  })
})

describe('tenant ids', () => {
  test.each([
    '',
    'default',
    'system',
    'root',
    'fake',
    'null',
    'undefined',
    '__proto__',
    'constructor',
    '+',
    '*',
    'other',
    'Acme',
    'acme:',
    'a}:{b',
    'x\nHSET',
    'a?c',
    '[a-z]',
    '.',
    '..',
    '../b',
    '%2e%2e',
    'a/b',
    'acme ',
    'é',
    'a\u200bb',
    'a'.repeat(65),
  ])('%j is refused', async (id) => {
    const answer = await stand.admin('POST', '/v1/tenants', { id })
    expect([answer.status, answer.json?.code]).toEqual([400, 'tenant-id-invalid'])
    expect(await stand.redis.exists(`tenant:{${id}}:ctl`)).toBe(0)
  })

  test('64 characters are an id, and its runs can be read', async () => {
    const long = await stand.tenant('b'.repeat(64))
    expect(await long.finished('echo', 7)).toMatchObject({ status: 'done', output: 7 })
  })
})

describe('runs', () => {
  test('of another tenant and runs that never were answer alike', async () => {
    const own = await acme.finished('echo', 'mine')
    const foreign = String((await other.finished('echo', 'theirs')).id)
    const unknown = 'run_acme2_1700000000000-0'
    expect((await acme.call('GET', `/v1/runs/${own.id}`)).status).toBe(200)
    for (const route of [(id: string) => `/v1/runs/${id}`, (id: string) => `/v1/runs/${id}/events`]) {
      const [a, b, c] = await Promise.all([foreign, unknown, 'nonsense'].map((id) => acme.call('GET', route(id))))
      expect(a?.json).toEqual({ type: '/problems/run-unknown', title: 'No such run', status: 404, code: 'run-unknown' })
      expect([b?.text, c?.text]).toEqual([a?.text, a?.text])
      expect(Object.keys(b?.headers ?? {})).toEqual(Object.keys(a?.headers ?? {}))
    }
  })

  test('say what happened to them, in order', async () => {
    const run = await acme.finished('echo', 'x')
    const { json } = await acme.call('GET', `/v1/runs/${run.id}/events`)
    const events = json?.events as { event: string; at: number }[]
    expect(events.map(({ event }) => event)).toEqual(['queued', 'started', 'done'])
    expect(events.map(({ at }) => at)).toEqual([run.queuedAt, run.startedAt, run.endedAt])
  })

  test('are listed newest first, page by page, each once', async () => {
    const pager = await stand.tenant('pager')
    const ids: unknown[] = []
    for (let i = 0; i < 7; i++) ids.unshift((await pager.finished('echo', i)).id)
    const seen: unknown[] = []
    let cursor: unknown = null
    let pages = 0
    do {
      const query = cursor === null ? '' : `&cursor=${cursor}`
      const page = (await pager.call('GET', `/v1/runs?limit=3${query}`)).json as {
        runs: { id: string }[]
        cursor: unknown
      }
      seen.push(...page.runs.map(({ id }) => id))
      cursor = page.cursor
      pages++
    } while (cursor !== null)
    expect(seen).toEqual(ids)
    expect(pages).toBe(3)
  })

  test('are listed whole also when the run that a page ended with is dropped meanwhile', async () => {
    const dropper = await stand.tenant('dropper')
    const started = await Promise.all(Array.from({ length: 9 }, (_, i) => dropper.finished('echo', i)))
    const all = (await dropper.call('GET', '/v1/runs')).json?.runs as { id: string }[]
    expect(all.map(({ id }) => id).sort()).toEqual(started.map(({ id }) => id).sort())
    const first = (await dropper.call('GET', '/v1/runs?limit=4')).json ?? {}
    const dropped = all[3]?.id.replace('run_dropper_', '') ?? ''
    await stand.redis.zrem('tenant:{dropper}:runs:index', dropped)
    await stand.redis.hdel('tenant:{dropper}:runs', dropped)
    const second = (await dropper.call('GET', `/v1/runs?cursor=${first.cursor}`)).json ?? {}
    expect(second).toEqual({ runs: all.slice(4), cursor: null })
  })

  test('cursor of another tenant, of an earlier tenant of the name, or made up: refused alike', async () => {
    await acme.finished('echo', 1)
    await acme.finished('echo', 2)
    const cursor = String((await acme.call('GET', '/v1/runs?limit=1')).json?.cursor)
    expect((await acme.call('GET', `/v1/runs?cursor=${cursor}`)).status).toBe(200)
    const bare = cursor.replace(/\..*$/, '')
    for (const [who, what] of [
      [other, cursor],
      [acme, bare],
      [acme, `${bare}.0123456789abcdef`],
      [acme, ''],
      [acme, '*'],
    ] as const) {
      const answer = await who.call('GET', `/v1/runs?cursor=${encodeURIComponent(what)}`)
      expect([answer.status, answer.json?.code]).toEqual([400, 'cursor-invalid'])
    }
    const first = await stand.tenant('twice')
    await first.finished('echo', 1)
    await first.finished('echo', 2)
    const old = String((await first.call('GET', '/v1/runs?limit=1')).json?.cursor)
    await stand.admin('DELETE', '/v1/tenants/twice')
    const second = await stand.tenant('twice')
    expect((await second.call('GET', `/v1/runs?cursor=${old}`)).json?.code).toBe('cursor-invalid')
  })

  test('a payload may be as large as the limit and not a byte larger', async () => {
    const small = await stand.tenant('small', { maxPayloadBytes: 100 })
    const start = (bytes: number) => small.call('POST', '/v1/runs', { workflow: 'echo', input: 'x'.repeat(bytes - 2) })
    expect((await start(100)).status).toBe(202)
    const over = await start(101)
    expect([over.status, over.json?.code]).toEqual([413, 'payload-too-large'])
    expect((await start(5000)).status).toBe(413)
  })

  test('over the start rate are refused with the exact wait, before the body is read', async () => {
    const slow = await stand.tenant('slow', { startsPerMinute: 2 })
    const begun = Date.now()
    await slow.finished('echo')
    await slow.finished('echo')
    const answers = [
      await slow.call('POST', '/v1/runs', { workflow: 'echo' }),
      await slow.call('POST', '/v1/runs', 'not even JSON'),
    ]
    for (const answer of answers) {
      expect([answer.status, answer.json?.code]).toEqual([429, 'rate-limited'])
      const waitMs = Number(answer.json?.retryAfterMs)
      expect(Number(answer.headers['retry-after'])).toBe(Math.ceil(waitMs / 1000))
      expect(waitMs).toBeLessThanOrEqual(60_001)
      expect(waitMs).toBeGreaterThan(60_000 - (Date.now() - begun) - 50)
    }
  })
})

describe('workflows', () => {
  test('are listed by name, each tenant its own', async () => {
    const author = await stand.tenant('author')
    await author.call('PUT', '/v1/workflows/Zeta', { steps: [{ type: 'sleep', ms: 1 }] })
    const { json } = await author.call('GET', '/v1/workflows')
    expect(json).toEqual({
      workflows: [
        { name: 'Zeta', steps: [{ type: 'sleep', ms: 1 }] },
        { name: 'echo', steps: [{ type: 'echo' }] },
      ],
    })
    expect((await other.call('GET', '/v1/workflows/Zeta')).json?.code).toBe('workflow-unknown')
  })

  test.each(['a b', 'a%2fb', '%2e%2e', 'a'.repeat(65), 'é'])('no workflow is named %s', async (name) => {
    const answer = await acme.call('PUT', `/v1/workflows/${encodeURI(name)}`, { steps: [{ type: 'echo' }] })
    expect(answer.status).toBe(400)
  })
})
