// The export of a tenant, on a real Redis: complete, clean, each thing once, also while everything moves.

import { request } from 'undici'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openStand, type Stand, type TenantClient, until } from './stand.ts'

let stand: Stand

beforeAll(async () => {
  stand = await openStand()
})
afterAll(async () => await stand.close())

type Line = Record<string, unknown> & { kind: string }
const linesOf = (text: string): Line[] =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))
const exported = async (tenant: TenantClient) => linesOf((await tenant.call('GET', '/v1/export')).text)
const ofKind = (lines: Line[], kind: string) => lines.filter((line) => line.kind === kind)

test('has everything of the tenant, nothing of another, and a true count in its last line', async () => {
  const [mine, other] = [await stand.tenant('exp-a'), await stand.tenant('exp-b')]
  for (const tenant of [mine, other]) {
    for (let i = 0; i < 45; i++) await tenant.finished('echo', `canary-${tenant.id}-${i}`)
    await tenant.call('PUT', '/v1/workflows/stuck', { steps: [{ type: 'sleep', ms: 60_000 }] })
    await stand.admin('PATCH', `/v1/tenants/${tenant.id}`, { limits: { concurrentRuns: 2 } })
    for (let i = 0; i < 2; i++)
      await tenant.call('POST', '/v1/runs', { workflow: 'stuck', input: `canary-${tenant.id}-s${i}` })
    await until(async () => ((await stand.admin('GET', `/v1/tenants/${tenant.id}`)).json?.active === 2 ? true : null))
    const stream = `tenant:{${tenant.id}}:workflow:events`
    await stand.redis.xadd(stream, '*', 'v', '1', 'workflow', 'echo', 'input', `"canary-${tenant.id}-w"`)
  }
  const answer = await mine.call('GET', '/v1/export')
  expect(answer.headers['content-type']).toBe('application/x-ndjson')
  const lines = linesOf(answer.text)
  for (let i = 0; i < 45; i++) expect(answer.text).toContain(`"canary-exp-a-${i}"`)
  for (const i of ['s0', 's1', 'w']) expect(answer.text).toContain(`canary-exp-a-${i}`)
  expect(answer.text).not.toContain('exp-b')
  expect(ofKind(lines, 'run')).toHaveLength(47)
  expect(ofKind(lines, 'event')).toHaveLength(45)
  expect(ofKind(lines, 'waiting')).toMatchObject([{ workflow: 'echo', input: '"canary-exp-a-w"' }])
  expect(ofKind(lines, 'change').map(({ what, concurrentRuns }) => [what, concurrentRuns])).toEqual([
    ['created', '8'],
    ['changed', '2'],
  ])
  expect(ofKind(lines, 'slo')).toMatchObject([{ tenant: 'exp-a', usage: { runs: 45 } }])
  expect(ofKind(lines, 'workflow').map(({ name }) => name)).toEqual(['echo', 'stuck'])
  const counts = { tenant: 1, workflow: 2, waiting: 1, run: 47, event: 45, change: 2, slo: 1 }
  expect(lines.at(-1)).toMatchObject({ kind: 'end', lines: lines.length - 1, counts })
  // Neither a token nor the digest of one.
  expect(answer.text.match(/pw_|[0-9a-f]{64}/)).toBe(null)
  const admin = linesOf((await stand.admin('GET', '/v1/tenants/exp-a/export')).text)
  expect(admin.at(-1)).toMatchObject({ kind: 'end', counts })
  expect((await mine.call('GET', '/v1/tenants/exp-a/export')).status).toBe(401)
  expect((await stand.admin('GET', '/v1/tenants/nobody/export')).json?.code).toBe('tenant-unknown')
})

test('has every field of an entry that was written straight into the stream: waiting, dead, refused, and of a run that died', async () => {
  const tenant = await stand.tenant('exp-fields', { concurrentRuns: 1, maxPayloadBytes: 1000 })
  await tenant.call('PUT', '/v1/workflows/stuck', { steps: [{ type: 'sleep', ms: 60_000 }] })
  await tenant.call('PUT', '/v1/workflows/fails', {
    steps: [{ type: 'model', ms: 0, failureRate: 1 }],
    retry: { attempts: 2, backoffMs: 0 },
  })
  const add = (...fields: string[]) => stand.redis.xadd('tenant:{exp-fields}:workflow:events', '*', ...fields)
  const letters = async () => {
    const { json } = await tenant.call('GET', '/v1/dead-letters')
    return json?.deadLetters as { reason: string; input: string; fields: [string, string][] }[]
  }
  // Earlier ones of a name that comes twice are not taken: they are not lost either.
  await add('workflow', 'gone', 'input', '"first"', 'note', 'canary-note', 'key', 'canary-key', 'input', '"last"')
  await add('workflow', 'fails', 'key', 'canary-run-key')
  await add('workflow', 'gone', 'note', `canary-cut${'x'.repeat(2000)}`, 'more', 'canary-beyond')
  await until(async () => ((await letters()).length === 3 ? true : null))
  const byReason = (await letters()).toSorted((a, b) => a.reason.localeCompare(b.reason))
  const cut = byReason.find(({ fields }) => fields[0]?.[1].startsWith('canary-cut'))
  expect(cut?.fields).toEqual([['note', `canary-cut${'x'.repeat(1000 - 'notecanary-cut'.length)}`]])
  expect(byReason.filter((letter) => letter !== cut)).toMatchObject([
    { reason: 'attempts-exhausted', fields: [['key', 'canary-run-key']] },
    {
      reason: 'workflow-unknown',
      input: '"last"',
      fields: [
        ['input', '"first"'],
        ['note', 'canary-note'],
        ['key', 'canary-key'],
      ],
    },
  ])
  await tenant.call('POST', '/v1/runs', { workflow: 'stuck' })
  await until(async () => ((await stand.admin('GET', '/v1/tenants/exp-fields')).json?.active === 1 ? true : null))
  await add('workflow', 'echo', 'input', '1', 'key', 'canary-waiting-key', 'note', 'canary-waiting-note')
  const lines = await exported(tenant)
  expect(ofKind(lines, 'waiting')).toMatchObject([
    {
      workflow: 'echo',
      input: '1',
      fields: [
        ['key', 'canary-waiting-key'],
        ['note', 'canary-waiting-note'],
      ],
    },
  ])
  expect(ofKind(lines, 'dead-letter').map(({ fields }) => fields)).toEqual(
    (await letters()).map(({ fields }) => fields),
  )
})

test('while runs start, move and end, has each run that was there at the cut, once', async () => {
  const tenant = await stand.tenant('exp-busy', { startsPerMinute: 100_000, maxQueued: 100_000, concurrentRuns: 4 })
  await tenant.call('PUT', '/v1/workflows/short', { steps: [{ type: 'sleep', ms: 2 }] })
  const stream = 'tenant:{exp-busy}:workflow:events'
  const before: string[] = []
  for (let i = 0; i < 300; i++) {
    const [fields, workflow] = [['v', '1'], i % 10 === 9 ? 'missing' : 'short'] as const
    const id = await stand.redis.xadd(stream, '*', ...fields, 'workflow', workflow, 'input', `"direct-${i}"`)
    if (i % 3 === 0)
      before.push(String((await tenant.call('POST', '/v1/runs', { workflow: 'short', input: `api-${i}` })).json?.id))
    before.push(`run_exp-busy_${id}`)
  }
  let going = true
  const more = (async () => {
    while (going) await tenant.call('POST', '/v1/runs', { workflow: 'short' })
  })()
  const byAdmin = async () => linesOf((await stand.admin('GET', `/v1/tenants/${tenant.id}/export`)).text)
  const rounds = await Promise.all([exported(tenant), byAdmin()])
  rounds.push(await exported(tenant))
  going = false
  await more
  for (const lines of rounds) {
    const runs = [...ofKind(lines, 'run').map(({ id }) => id), ...ofKind(lines, 'waiting').map(({ run }) => run)]
    expect(new Set(runs).size).toBe(runs.length)
    const seen = new Set([...runs, ...ofKind(lines, 'dead-letter').map(({ run }) => run)])
    expect(before.filter((id) => !seen.has(id))).toEqual([])
    expect(lines.at(-1)).toMatchObject({ kind: 'end', lines: lines.length - 1 })
  }
})

describe('backpressure', () => {
  /** Runs of 1.4 MB: no connection buffers thirty, so an export of them stands still when nobody reads. */
  async function fill(id: string, at: Stand, count = 30): Promise<TenantClient> {
    const tenant = await at.tenant(id, { startsPerMinute: 10_000, maxPayloadBytes: 1 << 20 })
    const fields = ['workflow', 'echo', 'input', JSON.stringify('x'.repeat(700_000))]
    for (let i = 0; i < count; i++) await at.redis.xadd(`tenant:{${id}}:workflow:events`, '*', ...fields)
    await until(async () => ((await at.redis.zcard(`tenant:{${id}}:runs:ended`)) === count ? true : null))
    return tenant
  }

  test('a client that does not read makes the engine hold one page, not the whole', async () => {
    const tenant = await fill('exp-large', stand, 80)
    const answer = await request(`${stand.origin}/v1/export`, { headers: tenant.headers })
    const body = answer.body[Symbol.asyncIterator]()
    await body.next()
    const sent = async () => Number(/total_net_output_bytes:(\d+)/.exec(await stand.redis.info('stats'))?.[1])
    // It stops asking Redis for more: next to nothing is read during ten looks.
    const looks = [await sent()]
    await until(async () => {
      looks.push(await sent())
      return looks.length > 10 && (looks.at(-1) ?? 0) - (looks.at(-11) ?? 0) < 200_000 ? true : null
    })
    const stopped = looks.at(-1) ?? 0
    let bytes = 0
    let tail = ''
    for (let next = await body.next(); !next.done; next = await body.next()) {
      bytes += next.value.length
      tail = (tail + next.value).slice(-500)
    }
    expect(bytes).toBeGreaterThan(56_000_000)
    expect(JSON.parse(tail.slice(tail.lastIndexOf('\n', tail.length - 2) + 1))).toMatchObject({ kind: 'end' })
    expect((await sent()) - stopped).toBeGreaterThan(20_000_000)
  })

  const unread = async (at: Stand, path: string, headers: Record<string, string>) =>
    (await request(`${at.origin}${path}`, { headers })).body

  test('a tenant that is removed gets no last line', async () => {
    const tenant = await fill('exp-gone', stand)
    const body = await unread(stand, '/v1/export', tenant.headers)
    await stand.admin('DELETE', '/v1/tenants/exp-gone')
    expect(await body.text().catch(() => 'cut')).not.toContain('"kind":"end"')
  })

  test('an export that its tenant leaves unread keeps neither the administrator out nor another tenant', async () => {
    const tenant = await fill('exp-unread', stand)
    const path = '/v1/tenants/exp-unread/export'
    // At once: a seat is taken before anything is awaited.
    const headers = { authorization: `Bearer ${stand.adminToken}` }
    const asked = await Promise.all(
      Array.from({ length: 6 }, () => request(`${stand.origin}/v1/export`, { headers: tenant.headers })),
    )
    expect(asked.map(({ statusCode }) => statusCode).sort()).toEqual([200, 429, 429, 429, 429, 429])
    const admins = await Promise.all([1, 2, 3].map(() => request(`${stand.origin}${path}`, { headers })))
    expect(admins.map(({ statusCode }) => statusCode).sort()).toEqual([200, 429, 429])
    const refused = await tenant.call('GET', '/v1/export')
    expect([refused.status, refused.json?.code, refused.headers['retry-after']]).toEqual([429, 'exports-full', '1'])
    const texts = await Promise.all(admins.map(({ body }) => body.text()))
    expect(texts.filter((text) => text.includes('"kind":"end"'))).toHaveLength(1)
    for (const { body } of asked) body.on('error', () => {}).destroy()
    await until(async () => ((await tenant.call('GET', '/v1/export')).status === 200 ? true : null))
  })

  test('an export that takes nothing for long is ended, and its seat is free again', async () => {
    const hasty = await openStand({ stalledExportMs: 1000 })
    try {
      const tenant = await fill('exp-still', hasty)
      const body = await unread(hasty, '/v1/export', tenant.headers)
      body.on('error', () => {})
      expect((await tenant.call('GET', '/v1/export')).status).toBe(429)
      await until(async () => ((await tenant.call('GET', '/v1/export')).status === 200 ? true : null))
      expect(await body.text().catch(() => 'cut')).not.toContain('"kind":"end"')
    } finally {
      await hasty.close()
    }
  })
})
