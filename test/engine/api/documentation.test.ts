// What the API says of itself, compared with what it does, on a real Redis.

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { catalogue } from '../../../engine/errors.ts'
import { openStand, type Stand, type TenantClient } from './stand.ts'

let stand: Stand
let acme: TenantClient

beforeAll(async () => {
  stand = await openStand()
  acme = await stand.tenant('acme')
})
afterAll(async () => await stand.close())

describe('the documentation', () => {
  test('has every route that is served, and every code that can be answered', async () => {
    const { json } = await stand.anybody('GET', '/openapi.json')
    const paths = json?.paths as Record<string, Record<string, { responses: object }>>
    expect(Object.keys(paths).sort()).toMatchInlineSnapshot(`
      [
        "/healthz",
        "/metrics",
        "/openapi.json",
        "/problems/{code}",
        "/readyz",
        "/v1/dead-letters",
        "/v1/dead-letters/{id}/redrive",
        "/v1/events",
        "/v1/export",
        "/v1/runs",
        "/v1/runs/{id}",
        "/v1/runs/{id}/cancel",
        "/v1/runs/{id}/events",
        "/v1/slo",
        "/v1/tenants",
        "/v1/tenants/{id}",
        "/v1/tenants/{id}/export",
        "/v1/tenants/{id}/stream",
        "/v1/workflows",
        "/v1/workflows/{name}",
      ]
    `)
    const answerable = new Set(JSON.stringify(paths).match(/(?<=`)[a-z-]+(?=`:)/g))
    const elsewhere = ['route-unknown', 'method-unsupported']
    const codes = Object.keys(catalogue)
    expect(codes.filter((code) => !answerable.has(code) && !elsewhere.includes(code))).toEqual([])
    for (const code of codes) {
      const said = await stand.anybody('GET', `/problems/${code}`)
      expect([said.status, said.json?.code, String(said.json?.mend).length > 10]).toEqual([200, code, true])
    }
  })

  test('has the headers that are answered, and the whole shape of a run', async () => {
    const { json } = await stand.anybody('GET', '/openapi.json')
    type Documented = { responses: Record<string, { headers?: object; content?: Record<string, { schema: object }> }> }
    const paths = json?.paths as Record<string, Record<string, Documented>>
    const { start, read } = { start: paths['/v1/runs']?.post, read: paths['/v1/runs/{id}']?.get }
    const headersOf = (status: number) => Object.keys(start?.responses[status]?.headers ?? {})
    expect([202, 401, 405, 429, 503, 400].map(headersOf)).toEqual([
      ['Idempotency-Replayed'],
      ['WWW-Authenticate'],
      ['Allow'],
      ['Retry-After'],
      ['Retry-After'],
      [],
    ])
    for (const operations of Object.values(paths)) {
      for (const { responses } of Object.values(operations)) expect(responses).toHaveProperty('405.headers.Allow')
    }
    const run = await acme.call('POST', '/v1/runs', { workflow: 'echo' }, { 'idempotency-key': 'documented' })
    const answered = (await acme.call('GET', `/v1/runs/${run.json?.id}`)).json ?? {}
    const shape = read?.responses[200]?.content?.['application/json']?.schema as { properties: Record<string, object> }
    expect(Object.keys(answered).filter((name) => !(name in shape.properties))).toEqual([])
    expect(answered).toMatchObject({ attempt: 1, key: 'documented' })
    expect(shape.properties.status).toMatchObject({
      enum: ['queued', 'running', 'done', 'failed', 'timed-out', 'cancelled', 'dead'],
    })
  })

  test('says of maxRunMs that it is an attempt’s, and of the burn what counts as late', async () => {
    const { text } = await stand.anybody('GET', '/openapi.json')
    const descriptionsOf = (name: string) =>
      (text.match(new RegExp(`"${name}":\\{[^{}]*\\}`, 'g')) ?? []).map(
        (schema) => schema.match(/"description":"([^"]*)"/)?.[1],
      )
    // Where limits are set, where they are changed, and wherever they are answered.
    expect(descriptionsOf('maxRunMs').length).toBeGreaterThanOrEqual(4)
    for (const said of descriptionsOf('maxRunMs')) expect(said).toMatch(/for each attempt/)
    expect(text).toMatch(/"inTime":\{"description":"[^"]*counts as late as a whole/)
  })

  test('a definition that is too large is told how large it may be, not of a limit that does not govern it', async () => {
    const answer = await acme.call('PUT', '/v1/workflows/huge', ' '.repeat(70_000))
    expect([answer.status, answer.json?.code, answer.json?.detail]).toEqual([
      413,
      'payload-too-large',
      'at most 65536 bytes',
    ])
    const { json } = await stand.anybody('GET', '/problems/payload-too-large')
    expect(json?.mend).toMatch(/^Send at most what the detail says\./)
  })

  test('unknown routes, unknown codes and wrong methods are problems too', async () => {
    for (const path of ['/', '/v1', '/v1/runs/a/b', '//v1/runs', '/problems/__proto__', '/v1/runs/%2e%2e/x']) {
      const answer = await acme.call('GET', path)
      expect([path, answer.status, answer.json?.code]).toEqual([path, 404, 'route-unknown'])
    }
    const answer = await acme.call('PATCH', '/v1/runs')
    expect([answer.status, answer.json?.code, answer.headers.allow]).toEqual([405, 'method-unsupported', 'POST, GET'])
  })
})
