// Where Redis comes from: a private one that we start and end, or one that was named to us, which we only ask and never
// change. Refuses any address but loopback, and a Redis older than 7, which has no function libraries.

import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { Redis } from 'ioredis'
import { Failure } from '../failure.ts'
import { redisUrl } from '../loopback.ts'
import { type Guard, onPath } from './guard.ts'

export interface GivenRedis {
  url: string
  kind: 'given'
  /** For instance `Redis 7.0.15`. */
  version: string
}

export interface PrivateRedis {
  url: string
  kind: 'local'
  version: string
  pid: number
  /** Resolves with one sentence when it ends without having been told to by stop(). */
  exited: Promise<string>
  stop(): Promise<void>
}

export const serverPrograms = ['redis-server', 'valkey-server'] as const
/** Functions (FUNCTION LOAD, FCALL) came with 7.0. */
export const OLDEST_MAJOR = 7

const READY_WITHIN_MS = 5000
const ASK_WITHIN_MS = 2000
const STOP_WITHIN_MS = 3000
const PORT_TRIES = 5
const LOG_KEPT = 2000

export function findRedisServer(path?: string): string | null {
  for (const name of serverPrograms) {
    const file = onPath(name, path)
    if (file !== null) return file
  }
  return null
}

/** @param text what `--version` answered: `Redis server v=7.0.15 sha=...`. @returns null when it names none */
export function serverVersion(text: string): { name: string; major: number } | null {
  const [, server = '', version = '', major = ''] = /^(\w+).* v=((\d+)\.[\d.]+)/.exec(text) ?? []
  return version === '' ? null : { name: `${server} ${version}`, major: Number(major) }
}

export async function freePort(): Promise<number> {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

export interface PrivateRedisParts {
  /** The server's file; null says that there is none. */
  server?: string | null
  port?: () => Promise<number>
}

/** @throws Failure environment when there is no server on PATH or it does not answer within 5 s */
export async function startPrivateRedis(guard: Guard, parts: PrivateRedisParts = {}): Promise<PrivateRedis> {
  const server = parts.server === undefined ? findRedisServer() : parts.server
  if (server === null) {
    throw new Failure('environment', 'redis-missing', 'no redis-server or valkey-server on PATH', {
      fix: 'run `npm run setup`',
    })
  }
  const dir = guard.tempDir('redis')
  let why = ''
  for (let tries = 0; tries < PORT_TRIES; tries++) {
    // Between finding a free port and the server's taking it, somebody else may: then another port is tried.
    const started = await attempt(guard, server, dir, await (parts.port ?? freePort)())
    if (typeof started !== 'string') return started
    why = started
    if (!/address already in use/i.test(why)) break
  }
  throw new Failure('environment', 'redis-not-starting', `the private Redis (${server}) did not start: ${why}`, {
    fix: `try \`${server} --port 0\` by hand, or name a running one with --redis`,
  })
}

/** @returns the server, or why it did not start */
async function attempt(guard: Guard, server: string, dir: string, port: number): Promise<PrivateRedis | string> {
  const settings = ['--port', String(port), '--bind', '127.0.0.1', '--dir', dir, '--daemonize', 'no']
  // Nothing of a run's Redis is worth keeping, and a snapshot in mid-run would be a stall of our own making.
  const child = guard.spawn(server, [...settings, '--save', '', '--appendonly', 'no'], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let log = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8')
    stream?.on('data', (chunk: string) => {
      log = (log + chunk).slice(-LOG_KEPT)
    })
  }
  const ended = endOf(child, () => log)
  const url = `redis://127.0.0.1:${port}`
  const until = performance.now() + READY_WITHIN_MS
  let over = false
  const ready = async (): Promise<Info | string> => {
    while (!over && performance.now() < until) {
      const info = await ask(url).catch(() => null)
      // Whoever else took the port answers too, so the process id decides whether this is ours.
      if (info !== null && info.processId === child.pid) return info
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
    return `no answer within ${READY_WITHIN_MS / 1000} s`
  }
  const answer = await Promise.race([ready(), ended.then((reason) => reason)])
  over = true
  if (typeof answer === 'string') {
    await end(child)
    return answer
  }
  if (answer.major < OLDEST_MAJOR) {
    await end(child)
    throw tooOld(`${server} is ${answer.version}`)
  }
  let stopping = false
  return {
    url,
    kind: 'local',
    version: answer.version,
    pid: answer.processId,
    exited: new Promise((resolve) => {
      ended.then((reason) => {
        if (!stopping) resolve(`the private Redis ${reason}`)
      })
    }),
    stop: () => {
      stopping = true
      return end(child)
    },
  }
}

function endOf(child: ChildProcess, log: () => string): Promise<string> {
  return new Promise((resolve) => {
    child.once('error', (error) => resolve(`could not be started: ${error.message}`))
    // 'close' and not 'exit': by then all that it said has been read.
    child.once('close', (code, signal) => {
      const last = log().trim().split('\n').slice(-2).join(' ').trim()
      const how = signal ? `ended by ${signal}` : `ended with exit code ${code}`
      resolve(last === '' ? how : `${how} after saying: ${last}`)
    })
  })
}

async function end(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return
  const gone = once(child, 'exit')
  child.kill('SIGTERM')
  const killer = setTimeout(() => child.kill('SIGKILL'), STOP_WITHIN_MS)
  await gone
  clearTimeout(killer)
}

/** @throws Failure usage when the URL is not one of a loopback Redis, environment when it does not answer in 2 s */
export async function useGivenRedis(text: string): Promise<GivenRedis> {
  const { url, place } = loopbackUrl(text)
  let info: Info
  try {
    info = await ask(url)
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new Failure('environment', 'redis-unreachable', `the Redis at ${place} does not answer: ${why}`, {
      fix: 'start it, mend --redis, or leave --redis out for a private one',
      cause,
    })
  }
  if (info.major < OLDEST_MAJOR) throw tooOld(`the Redis at ${place} is ${info.version}`)
  return { url, kind: 'given', version: info.version }
}

function tooOld(what: string): Failure {
  return new Failure('environment', 'redis-too-old', `${what}; function libraries want ${OLDEST_MAJOR}.0 or newer`, {
    fix: 'install a newer Redis or Valkey',
  })
}

function loopbackUrl(text: string): { url: string; place: string } {
  const fix = 'give redis://127.0.0.1:6379, for instance'
  const named = redisUrl(text)
  if ('url' in named) {
    const { href, hostname, port } = named.url
    return { url: href, place: `${hostname}:${port || '6379'}` }
  }
  switch (named.fault) {
    case 'no-url':
      throw new Failure('usage', 'redis-url', '--redis is no redis:// or rediss:// URL', { fix })
    case 'options':
      throw new Failure('usage', 'redis-url', '--redis takes no query and no fragment', { fix })
    case 'elsewhere':
      throw new Failure('usage', 'redis-not-loopback', `load goes to loopback only, and ${named.hostname} is not`, {
        fix,
      })
  }
}

interface Info {
  version: string
  major: number
  processId: number
}

/** PING and INFO within 2 s. @throws Error that names no credential */
async function ask(url: string): Promise<Info> {
  const redis = new Redis(url, {
    lazyConnect: true,
    connectTimeout: ASK_WITHIN_MS,
    maxRetriesPerRequest: 0,
    enableReadyCheck: false,
    retryStrategy: () => null,
  })
  // The client says why a connection failed in an event only; the promise merely says that it is closed.
  let said: string | undefined
  redis.on('error', (error: Error) => {
    said ??= error.message
  })
  const late = Promise.withResolvers<never>()
  const timer = setTimeout(() => late.reject(new Error(`no answer within ${ASK_WITHIN_MS / 1000} s`)), ASK_WITHIN_MS)
  try {
    const asked = (async () => {
      await redis.connect()
      await redis.ping()
      return await redis.info('server')
    })()
    return infoOf(await Promise.race([asked, late.promise]))
  } catch (error) {
    // A new error, not the client's own as the cause: that one carries the arguments of AUTH.
    throw new Error(said ?? (error instanceof Error ? error.message : String(error)))
  } finally {
    clearTimeout(timer)
    // Told to close what is closed, the client would hold this process for 2 s more.
    if (redis.status !== 'end') redis.disconnect()
  }
}

function infoOf(text: string): Info {
  const field = (name: string) => new RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(text)?.[1]
  const compatible = field('redis_version') ?? 'of unknown version'
  const valkey = field('valkey_version')
  return {
    version: valkey === undefined ? `Redis ${compatible}` : `Valkey ${valkey}`,
    major: Number.parseInt(compatible, 10) || 0,
    processId: Number(field('process_id')),
  }
}
