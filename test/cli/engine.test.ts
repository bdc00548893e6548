// partywall engine, as a process, as a user has it: serves, drains, and leaves nothing. Refuses to look inside the engine:
// what is asked of it goes over HTTP.

import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { z } from 'zod'
import { adminToken } from '../../harness/cli/admin-token.ts'
import { type Guard, openGuard } from '../../harness/stack/guard.ts'
import { startPrivateRedis } from '../../harness/stack/redis.ts'
import { folder, type Running, start, tidy } from '../live/partywall.ts'
import { children, isAlive } from '../stack/processes.ts'

let guard: Guard | null = null
afterEach(async () => {
  tidy()
  await guard?.close()
  guard = null
})

const told = z.object({ origin: z.string(), port: z.number(), workers: z.number(), tokenFile: z.string().nullable() })

/** @param temporary where its temporary folders are: one of the test's own */
async function serving(temporary: string, args: string[], env: NodeJS.ProcessEnv = {}) {
  const running = start(['engine', '--json', ...args], { TMPDIR: temporary, ...env })
  await running.said('serves http://127.0.0.1:')
  return { ...running, ...told.parse(JSON.parse(running.stdout())) }
}

const engines = ({ child }: Pick<Running, 'child'>) =>
  children(child.pid ?? 0).filter(({ command }) => command.includes('engine/main.ts'))

async function status(origin: string, path: string, token?: string): Promise<number> {
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` }
  const answer = await fetch(`${origin}${path}`, { headers })
  await answer.body?.cancel()
  return answer.status
}

async function gone(pids: readonly number[], temporary: string): Promise<void> {
  const left = () => expect([pids.filter(isAlive), readdirSync(temporary)]).toEqual([[], []])
  await vi.waitFor(left, { timeout: 10_000, interval: 50 })
}

test('serves on a private Redis, drains on SIGTERM with 0, and leaves no process and no folder', async () => {
  const temporary = folder()
  const running = await serving(temporary, [])
  const { origin, tokenFile, child, ended } = running
  expect([await status(origin, '/healthz'), await status(origin, '/v1/tenants/x')]).toEqual([200, 401])
  const token = readFileSync(tokenFile ?? '', 'utf8').trim()
  expect(statSync(tokenFile ?? '').mode & 0o777).toBe(0o600)
  expect(await status(origin, '/v1/tenants/x', token)).toBe(404)
  expect(engines(running)).toHaveLength(1)

  const pids = children(child.pid ?? 0).map(({ pid }) => pid)
  child.kill('SIGTERM')
  const { code, stdout, stderr } = await ended
  expect([code, stdout.trim().split('\n').length]).toEqual([0, 1])
  expect(stderr.trim().split('\n')).toEqual([
    expect.stringMatching(
      /^partywall engine: serves http:\S+ \((Redis|Valkey) \S+, private, gone at the end; 0 worker/,
    ),
  ])
  expect(stdout + stderr).not.toContain(token)
  await gone(pids, temporary)
})

test('adds a worker process, takes the slots and the token it is given, and is gone after SIGKILL', async () => {
  const temporary = folder()
  const file = join(folder(), 'token')
  const token = 'a-token-of-my-own'
  writeFileSync(file, `${token}\n`)
  const running = await serving(temporary, ['--workers', '1', '--slots', '2', '--admin-token-file', file])
  const { origin, child, ended, workers, tokenFile } = running
  expect([workers, tokenFile]).toEqual([1, file])
  await vi.waitFor(() => expect(engines(running)).toHaveLength(2), { timeout: 5000, interval: 50 })
  expect(await status(origin, '/v1/tenants/x', token)).toBe(404)
  const pids = children(child.pid ?? 0).map(({ pid }) => pid)
  child.kill('SIGKILL')
  await ended
  await gone(pids, temporary)
  expect(readFileSync(file, 'utf8')).toBe(`${token}\n`)
})

test('on a given Redis keeps its tenants for the next time, with the token of the environment', async () => {
  guard = await openGuard()
  const { url } = await startPrivateRedis(guard)
  const env = { PARTYWALL_ADMIN_TOKEN: 'one-from-the-environment' }
  const headers = { authorization: `Bearer ${env.PARTYWALL_ADMIN_TOKEN}`, 'content-type': 'application/json' }
  const first = await serving(folder(), ['--redis', url], env)
  const made = await fetch(`${first.origin}/v1/tenants`, { method: 'POST', headers, body: '{"id":"stays"}' })
  expect(made.status).toBe(201)
  first.child.kill('SIGINT')
  expect((await first.ended).code).toBe(0)
  const second = await serving(folder(), ['--redis', url], env)
  expect(await status(second.origin, '/v1/tenants/stays', env.PARTYWALL_ADMIN_TOKEN)).toBe(200)
})

test('passes on the exit code of an engine that cannot listen, and says why once', async () => {
  const taken = createServer()
  await new Promise<void>((done) => taken.listen(0, '127.0.0.1', done))
  const address = taken.address()
  const port = typeof address === 'object' && address ? address.port : 0
  const temporary = folder()
  const { code, stdout, stderr } = await start(['engine', '--port', `${port}`], { TMPDIR: temporary }).ended
  taken.close()
  expect([code, stdout]).toEqual([4, ''])
  expect(stderr).toMatch(/^partywall engine: cannot listen: .*EADDRINUSE/)
  expect(stderr).not.toMatch(/^\s+at /m)
  expect(readdirSync(temporary)).toEqual([])
})

test('ends with 4 when its private Redis is killed', async () => {
  const running = await serving(folder(), [])
  const redis = children(running.child.pid ?? 0).find(({ command }) => /(redis|valkey)-server/.test(command))
  process.kill(redis?.pid ?? 0, 'SIGKILL')
  const { code, stderr } = await running.ended
  expect(code).toBe(4)
  expect(stderr).toContain('[redis-ended] the private Redis ended by SIGKILL')
})

describe('the admin token', () => {
  const places = (more: Partial<Parameters<typeof adminToken>[1]> = {}) => {
    const lines: string[] = []
    return { lines, env: {}, onTerminal: false, say: (line: string) => void lines.push(line), folder, ...more }
  }

  test('that is new is shown once on a terminal, and nowhere else', () => {
    const at = places({ onTerminal: true })
    const { value, file, use } = adminToken(undefined, at)
    expect(value).toMatch(/^[\w-]{32}$/)
    expect(at.lines).toEqual([expect.stringContaining(value)])
    expect([file, use.includes(value)]).toEqual([null, false])
  })

  test('that is new goes into a file of its owner where there is no terminal', () => {
    const at = places()
    const { value, file, use } = adminToken(undefined, at)
    expect(readFileSync(file ?? '', 'utf8')).toBe(`${value}\n`)
    expect(statSync(file ?? '').mode & 0o777).toBe(0o600)
    expect([at.lines, use.includes(value)]).toEqual([[], false])
  })

  test('is written into a file that is named and not there, and read from it the next time', () => {
    const path = join(folder(), 'token')
    const { value, file } = adminToken(path, places({ onTerminal: true }))
    expect([file, statSync(path).mode & 0o777]).toEqual([path, 0o600])
    expect(adminToken(path, places()).value).toBe(value)
  })

  test('of the environment is taken, the file before it', () => {
    const env = { PARTYWALL_ADMIN_TOKEN: 'one-from-the-environment' }
    expect(adminToken(undefined, places({ env })).value).toBe(env.PARTYWALL_ADMIN_TOKEN)
    expect(adminToken(join(folder(), 'token'), places({ env })).value).not.toBe(env.PARTYWALL_ADMIN_TOKEN)
  })

  test('that is none is refused, and not repeated', () => {
    const path = join(folder(), 'token')
    writeFileSync(path, 'hunter2')
    for (const refused of [
      () => adminToken(path, places()),
      () => adminToken(undefined, places({ env: { PARTYWALL_ADMIN_TOKEN: 'hunter2' } })),
    ]) {
      expect(refused).toThrow('[admin-token-invalid]')
      expect(refused).not.toThrow('hunter2')
    }
    expect(() => adminToken(join(path, 'below'), places())).toThrow('[admin-token-file]')
    expect(() => adminToken(folder(), places())).toThrow('[admin-token-file]')
  })
})
