// What something cost Redis: CPU of its main thread, as Redis itself says between two readings. And what clients sent
// meanwhile, as the client library's own tracing says: Redis' statistics count the commands inside functions and scripts
// too. Refuses to do both at once: tracing costs the client time.

import { tracingChannel } from 'node:diagnostics_channel'
import type { Connection } from '../../engine/redis.ts'

export interface RedisCost {
  cpuUs: number
  ms: number
}

async function cpuUsOf(redis: Connection): Promise<number> {
  const cpu = await redis.info('cpu')
  const seconds = (name: string) => Number(new RegExp(`^${name}:([\\d.]+)`, 'm').exec(cpu)?.[1] ?? 0)
  return (seconds('used_cpu_user_main_thread') + seconds('used_cpu_sys_main_thread')) * 1e6
}

export async function costOf(redis: Connection, work: () => Promise<unknown>): Promise<RedisCost> {
  const before = await cpuUsOf(redis)
  const from = performance.now()
  await work()
  const ms = performance.now() - from
  return { cpuUs: (await cpuUsOf(redis)) - before, ms }
}

/** Commands that all clients of this process sent while it worked, by name. */
export async function sentDuring(work: () => Promise<unknown>): Promise<Map<string, number>> {
  const sent = new Map<string, number>()
  const channel = tracingChannel<string, { command: string }>('ioredis:command')
  const count = ({ command }: { command: string }) => {
    const name = command.toLowerCase()
    sent.set(name, (sent.get(name) ?? 0) + 1)
  }
  const ignore = () => {}
  const subscriber = { start: count, end: ignore, asyncStart: ignore, asyncEnd: ignore, error: ignore }
  channel.subscribe(subscriber)
  try {
    await work()
  } finally {
    channel.unsubscribe(subscriber)
  }
  return sent
}

export const total = (sent: ReadonlyMap<string, number>): number => [...sent.values()].reduce((sum, n) => sum + n, 0)
