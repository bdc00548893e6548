// Connections to Redis: every one is opened here, with deadlines and a listener for errors. Refuses to queue commands
// while Redis is away: a caller hears it at once and can say so, instead of waiting on a promise without an end.

import type { Writable } from 'node:stream'
import { Redis } from 'ioredis'
import type { Logger } from 'pino'

const CONNECT_TIMEOUT_MS = 2000
const COMMAND_TIMEOUT_MS = 2000

export type Connection = Redis

/**
 * What is sent in one turn of the event loop leaves in one system call: a call each was a sixth of the engine's time.
 * Auto-pipelining would do it too, but each of its pipelines keeps the next one alive, so that all of a second's garbage
 * survives its scavenge, which then stops the process for 10 to 60 ms (measured at 1,400 requests/s; 2 to 6 ms without).
 */
function joinWrites(stream: Writable): void {
  let corked = false
  const write = stream.write.bind(stream) as (...args: unknown[]) => boolean
  const joined = (...args: unknown[]) => {
    if (!corked) {
      corked = true
      stream.cork()
      setImmediate(() => {
        corked = false
        stream.uncork()
      })
    }
    return write(...args)
  }
  stream.write = joined as Writable['write']
}

/**
 * A subscriber that is connected again subscribes by itself, and nobody holds those promises: one that fails because the
 * connection is closed for good would end the process. Held here, it fails only those who asked.
 */
function holdSubscriptions(redis: Redis): void {
  const held = redis as unknown as Record<string, (...args: unknown[]) => Promise<unknown>>
  for (const name of ['subscribe', 'ssubscribe']) {
    const subscribe = held[name]?.bind(redis)
    if (subscribe === undefined) continue
    held[name] = (...args) => {
      const asked = subscribe(...args)
      asked.catch(() => {})
      return asked
    }
  }
}

export async function connect(url: string, role: 'commands' | 'subscriber' | 'bell', log: Logger): Promise<Connection> {
  const redis = new Redis(url, {
    lazyConnect: true,
    connectionName: `partywall-${role}`,
    connectTimeout: CONNECT_TIMEOUT_MS,
    // When a subscriber is connected again it subscribes by itself, and nobody would hear that this failed.
    maxRetriesPerRequest: role === 'subscriber' ? null : 0,
    enableOfflineQueue: false,
    retryStrategy: (times) => Math.min(times * 50, 1000),
    ...(role === 'commands' ? { commandTimeout: COMMAND_TIMEOUT_MS } : {}),
  })
  if (role === 'subscriber') holdSubscriptions(redis)
  redis.on('connect', () => joinWrites(redis.stream))
  // Without a listener a lost connection would end the process. Reported once per outage, not once per attempt.
  let away = false
  redis.on('error', (error: Error) => {
    if (!away) log.warn({ role, reason: error.message }, 'redis connection lost')
    away = true
  })
  redis.on('ready', () => {
    away = false
  })
  try {
    await redis.connect()
  } catch (error) {
    redis.disconnect()
    throw error
  }
  return redis
}

/** Names with values, as Redis lists them: field after field, each with its value behind it. A value may be the name of a field. */
export function pairsIn<T extends string | number>(flat: readonly T[]): [name: string, value: T][] {
  return Array.from({ length: flat.length >> 1 }, (_, at) => [String(flat[2 * at]), flat[2 * at + 1] as T])
}
