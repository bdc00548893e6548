// Private and given Redis, with real servers. A fake one only where a real one cannot be had: an old version, a mute one.

import { once } from 'node:events'
import { existsSync, readdirSync } from 'node:fs'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { Redis } from 'ioredis'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { Failure } from '../../harness/failure.ts'
import { type Guard, openGuard } from '../../harness/stack/guard.ts'
import { findRedisServer, freePort, startPrivateRedis, useGivenRedis } from '../../harness/stack/redis.ts'
import { isAlive } from './processes.ts'

let guard: Guard
const servers: Server[] = []
const sockets: Socket[] = []

beforeEach(async () => {
  guard = await openGuard()
})
afterEach(async () => {
  await guard.close()
  for (const socket of sockets.splice(0)) socket.destroy()
  for (const server of servers.splice(0)) server.close()
})

async function listen(answer: (socket: Socket, text: string) => void): Promise<number> {
  const server = createServer((socket) => {
    sockets.push(socket)
    socket.on('error', () => {})
    socket.on('data', (chunk) => answer(socket, String(chunk)))
  })
  servers.push(server)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

async function failureOf(work: Promise<unknown>): Promise<Failure> {
  const error = await work.then(
    () => null,
    (caught: unknown) => caught,
  )
  if (!(error instanceof Failure)) throw new Error('a Failure was expected', { cause: error })
  return error
}

describe('a private Redis', () => {
  test('answers, keeps nothing, and is gone after close', async () => {
    const before = new Set(readdirSync(tmpdir()))
    const { url, kind, version, pid } = await startPrivateRedis(guard)
    expect(kind).toBe('local')
    expect(version).toMatch(/^(Redis|Valkey) \d+\.\d+/)
    const redis = new Redis(url, { maxRetriesPerRequest: 0, retryStrategy: () => null })
    redis.on('error', () => {})
    expect(await redis.ping()).toBe('PONG')
    expect(await redis.config('GET', 'save')).toEqual(['save', ''])
    expect(await redis.config('GET', 'appendonly')).toEqual(['appendonly', 'no'])
    expect(await redis.config('GET', 'bind')).toEqual(['bind', '127.0.0.1'])
    const [, dir = ''] = (await redis.config('GET', 'dir')) as string[]
    expect(before.has(dir.slice(tmpdir().length + 1))).toBe(false)
    redis.disconnect()
    await guard.close()
    expect(isAlive(pid)).toBe(false)
    expect(existsSync(dir)).toBe(false)
  })

  test('says how it ended when it ends by itself', async () => {
    const { pid, exited } = await startPrivateRedis(guard)
    process.kill(pid, 'SIGKILL')
    expect(await exited).toMatch(/^the private Redis ended by SIGKILL/)
  })

  test('does not call its stop an end by itself', async () => {
    const { pid, exited, stop } = await startPrivateRedis(guard)
    const ended = vi.fn()
    exited.then(ended)
    await stop()
    await stop()
    await guard.close()
    expect(isAlive(pid)).toBe(false)
    expect(ended).not.toHaveBeenCalled()
  })

  test('takes another port when somebody else took the one it meant to have', async () => {
    const taken = await listen(() => {})
    const ports = [taken]
    const { url } = await startPrivateRedis(guard, { port: async () => ports.shift() ?? (await freePort()) })
    expect(url).not.toContain(`:${taken}`)
  })

  test('does not take another Redis on that port for its own', async () => {
    const first = await startPrivateRedis(guard)
    const ports = [Number(new URL(first.url).port)]
    const second = await startPrivateRedis(guard, { port: async () => ports.shift() ?? (await freePort()) })
    expect(second.url).not.toBe(first.url)
    expect(second.pid).not.toBe(first.pid)
  })

  test('is refused clearly where there is no server', async () => {
    expect(findRedisServer('/nowhere')).toBeNull()
    const failure = await failureOf(startPrivateRedis(guard, { server: null }))
    expect([failure.kind, failure.code]).toEqual(['environment', 'redis-missing'])
    expect(failure.message).toContain('no redis-server or valkey-server on PATH')
    expect(failure.fix).toContain('npm run setup')
  })

  test('is refused clearly where the server does not start', async () => {
    const failure = await failureOf(startPrivateRedis(guard, { server: process.execPath }))
    expect([failure.kind, failure.code]).toEqual(['environment', 'redis-not-starting'])
    expect(failure.message).toContain('bad option')
  })
})

describe('a given Redis', () => {
  test('is used when it answers on loopback', async () => {
    const { url } = await startPrivateRedis(guard)
    const given = await useGivenRedis(url)
    expect(given).toMatchObject({ url, kind: 'given' })
    const port = new URL(url).port
    await expect(useGivenRedis(`redis://localhost:${port}/0`)).resolves.toMatchObject({ kind: 'given' })
  })

  test.each([
    ['redis://192.0.2.1:6379', 'redis-not-loopback'],
    ['redis://127.0.0.1.example.org:6379', 'redis-not-loopback'],
    ['redis://127.0.0.1@redis.example.org', 'redis-not-loopback'],
    ['redis://127.0.0.1:6379?host=redis.example.org', 'redis-url'],
    ['http://127.0.0.1:6379', 'redis-url'],
    ['127.0.0.1:6379', 'redis-url'],
    ['', 'redis-url'],
  ])('is refused as wrong usage: %j', async (url, code) => {
    const failure = await failureOf(useGivenRedis(url))
    expect([failure.kind, failure.code]).toEqual(['usage', code])
  })

  test('that refuses is named by host and port, and never by its password', async () => {
    const port = await freePort()
    const failure = await failureOf(useGivenRedis(`redis://user:hunter2@127.0.0.1:${port}`))
    expect([failure.kind, failure.code]).toEqual(['environment', 'redis-unreachable'])
    expect(failure.message).toContain(`127.0.0.1:${port}`)
    expect(failure.message).toContain('ECONNREFUSED')
    expect(JSON.stringify([failure.message, failure.fix, failure.stack, String(failure.cause)])).not.toContain(
      'hunter2',
    )
  })

  test('that wants a password is named, and the wrong one is not repeated anywhere', async () => {
    const { url } = await startPrivateRedis(guard)
    const redis = new Redis(url, { maxRetriesPerRequest: 0 })
    await redis.config('SET', 'requirepass', 'right-one')
    redis.disconnect()
    const failure = await failureOf(useGivenRedis(url.replace('//', '//:hunter2@')))
    expect(failure.code).toBe('redis-unreachable')
    const { cause } = failure
    expect(JSON.stringify([failure, cause, String(cause), Object.entries(cause ?? {})])).not.toContain('hunter2')
  })

  test('that stays mute is given up after 2 s', async () => {
    const port = await listen(() => {})
    const before = performance.now()
    const failure = await failureOf(useGivenRedis(`redis://127.0.0.1:${port}`))
    expect(failure.code).toBe('redis-unreachable')
    expect(performance.now() - before).toBeLessThan(4000)
  })

  test('older than 7 is refused, as it has no function libraries', async () => {
    const info = '# Server\r\nredis_version:6.2.14\r\nprocess_id:1\r\n'
    const port = await listen((socket, text) => {
      for (const command of text
        .toLowerCase()
        .split(/^\*\d+(?=\r\n)/m)
        .slice(1)) {
        if (command.includes('\r\nping\r\n')) socket.write('+PONG\r\n')
        else if (command.includes('\r\ninfo\r\n')) socket.write(`$${info.length}\r\n${info}\r\n`)
        else if (command.includes('\r\nhello\r\n')) socket.write('%1\r\n$5\r\nproto\r\n:3\r\n')
        else socket.write('+OK\r\n')
      }
    })
    const failure = await failureOf(useGivenRedis(`redis://127.0.0.1:${port}`))
    expect([failure.kind, failure.code]).toEqual(['environment', 'redis-too-old'])
    expect(failure.message).toContain('Redis 6.2.14')
  })
})
