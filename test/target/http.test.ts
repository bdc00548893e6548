// The http adapter on small real servers: what it refuses to read from its file, and what it makes of a backlog's answer.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { Failure } from '../../harness/failure.ts'
import { httpTarget } from '../../harness/target/http.ts'

const folders: string[] = []
const servers: Server[] = []
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
  for (const server of servers.splice(0)) {
    server.closeAllConnections()
    server.close()
  }
})

const limits = { startsPerMinute: 60, concurrentRuns: 2, maxRunMs: 1000, maxQueued: 10 }
const POLLED = "{ get: '/jobs/{id}', until: { status: [done, failed] }, everyMs: 5 }"

function targetAt(http: string, done = 'response') {
  const folder = mkdtempSync(join(tmpdir(), 'pw-http-'))
  folders.push(folder)
  const file = join(folder, 'target.yaml')
  const tenants = 'tenants: [{ id: a, headers: { x-tenant: a } }, { id: n, headers: { x-tenant: n } }]'
  writeFileSync(file, `http: ${http}\nstepMs: 1\n${tenants}\nstart: { post: /jobs, json: {}, id: id }\ndone: ${done}\n`)
  return httpTarget(file)
}

async function serve(listener: RequestListener, done?: string) {
  const server = createServer(listener)
  servers.push(server)
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  const target = targetAt(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, done)
  return { target, noisy: await target.provision({ label: 'noisy', id: 'noisy', stepMs: 1, ...limits }) }
}

describe('the address of a target', () => {
  test.each([
    'http://admin:hunter22@127.0.0.1:8080',
    'http://admin@127.0.0.1:8080',
    'http://127.0.0.1:8080/base',
    'http://127.0.0.1:8080/?key=hunter22',
  ])('with more than an origin is refused without being repeated: %s', (http) => {
    const refused = () => targetAt(http)
    expect(refused).toThrow('[target-invalid]')
    try {
      refused()
    } catch (error) {
      expect(error).toBeInstanceOf(Failure)
      const { message, fix, kind } = error as Failure
      expect([kind, message.includes('an origin only')]).toEqual(['usage', true])
      expect(message + fix).not.toMatch(/hunter22|admin/)
    }
  })

  test('is told as its origin', () => {
    expect(targetAt('http://127.0.0.1:8080/').name).toBe('http http://127.0.0.1:8080')
  })
})

describe('the backlog, seen by a run that is sent behind it,', () => {
  test('is drained when the run comes back, and not before', async () => {
    let release = () => {}
    let starts = 0
    const { target, noisy } = await serve((_, response) => {
      starts++
      release = () => void response.end('{"id":1}')
    })
    expect(await target.backlog(noisy)).toBe(1)
    expect(await target.backlog(noisy)).toBe(1)
    release()
    await vi.waitFor(async () => expect(await target.backlog(noisy)).toBe(0))
    // One run was enough for all of these looks.
    expect(starts).toBe(1)
  })

  test('is drained when the polled run is done, and only one was sent', async () => {
    let [status, starts] = ['queued', 0]
    const { target, noisy } = await serve((request, response) => {
      if (request.method === 'POST') starts++
      response.end(JSON.stringify({ id: 7, status }))
    }, POLLED)
    expect(await target.backlog(noisy)).toBe(1)
    status = 'done'
    await vi.waitFor(async () => expect(await target.backlog(noisy)).toBe(0))
    expect(starts).toBe(1)
  })

  test.each([429, 403, 503])('is not known when the run is refused with %i', async (status) => {
    const { target, noisy } = await serve((_, response) => response.writeHead(status).end())
    expect(await target.backlog(noisy)).toBeNull()
  })

  test('is an error when the target breaks, or is not there', async () => {
    const { target, noisy } = await serve((_, response) => response.writeHead(500).end())
    await expect(target.backlog(noisy)).rejects.toThrow('answered with 500')
    for (const server of servers.splice(0)) {
      server.closeAllConnections()
      await new Promise((closed) => server.close(closed))
    }
    await expect(target.backlog(noisy)).rejects.toThrow('ECONNREFUSED')
    await expect(target.reach?.(500)).rejects.toThrow('ECONNREFUSED')
  })

  test('any answer at all means that the target can be reached', async () => {
    const { target } = await serve((_, response) => response.writeHead(500).end())
    await expect(target.reach?.(500)).resolves.toBeUndefined()
  })
})
