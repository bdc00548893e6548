// Requests at the edge of HTTP, byte for byte on sockets of their own: each gets a problem document, and a right one its answer.

import { afterAll, beforeAll, expect, test } from 'vitest'
import { exchange } from './raw-http.ts'
import { openStand, type Stand } from './stand.ts'

let stand: Stand
beforeAll(async () => {
  stand = await openStand()
})
afterAll(async () => await stand.close())

const send = (...lines: string[]) =>
  exchange(Number(new URL(stand.origin).port), { chunks: [lines.join('\r\n')], withinMs: 5000 })

test.each<[string, number, string | null, string[]]>([
  ['no Host', 400, 'request-malformed', ['GET /healthz HTTP/1.1', '', '']],
  ['no Host, unknown route', 400, 'request-malformed', ['GET /nowhere HTTP/1.1', '', '']],
  ['two Hosts', 400, 'request-malformed', ['GET /healthz HTTP/1.1', 'host: a', 'Host: a', '', '']],
  ['two Hosts of HTTP/1.0', 400, 'request-malformed', ['GET /healthz HTTP/1.0', 'host: a', 'host: b', '', '']],
  ['no Host of HTTP/1.0', 200, null, ['GET /healthz HTTP/1.0', '', '']],
  ['one Host', 200, null, ['GET /healthz HTTP/1.1', 'host: a', '', '']],
  [
    'an unknown expectation',
    417,
    'expectation-unsupported',
    ['GET /healthz HTTP/1.1', 'host: a', 'expect: foo', '', ''],
  ],
  ['CONNECT', 404, 'route-unknown', ['CONNECT a:80 HTTP/1.1', 'host: a:80', '', '']],
  ['CONNECT without a Host', 404, 'route-unknown', ['CONNECT a:80 HTTP/1.1', '', '']],
  [
    'an upgrade, which is not taken',
    200,
    null,
    ['GET /healthz HTTP/1.1', 'host: a', 'connection: upgrade', 'upgrade: websocket', '', ''],
  ],
])('%s gets %d', async (_what, status, code, lines) => {
  const answer = await send(...lines)
  expect(answer.status).toBe(status)
  if (code === null) return
  expect(answer.type).toContain('application/problem+json')
  expect(JSON.parse(answer.body)).toMatchObject({ status, code, type: `/problems/${code}` })
})
