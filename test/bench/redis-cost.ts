// What Redis itself says that something cost: CPU of its main thread and calls, between two readings. Refuses to guess
// from the client's side.

import type { Connection } from '../../engine/redis.ts'

export interface RedisCost {
  cpuUs: number
  /** Calls that clients made: commands inside a function are not counted. */
  calls: number
}

async function read(redis: Connection): Promise<RedisCost> {
  const [cpu, stats] = await Promise.all([redis.info('cpu'), redis.info('commandstats')])
  const seconds = (name: string) => Number(new RegExp(`^${name}:([\\d.]+)`, 'm').exec(cpu)?.[1] ?? 0)
  let calls = 0
  for (const [, name = '', count] of stats.matchAll(/^cmdstat_([^:]+):calls=(\d+)/gm)) {
    // What clients send: functions, scripts, blocking reads, pushes to the bell, the audit's pages.
    if (/^(fcall|evalsha|eval|blpop|bzpopmin|rpush|zrangebylex|zcard)$/.test(name)) calls += Number(count)
  }
  return { cpuUs: (seconds('used_cpu_user_main_thread') + seconds('used_cpu_sys_main_thread')) * 1e6, calls }
}

export async function costOf(redis: Connection, work: () => Promise<unknown>): Promise<RedisCost & { ms: number }> {
  const before = await read(redis)
  const from = performance.now()
  await work()
  const ms = performance.now() - from
  const after = await read(redis)
  return { cpuUs: after.cpuUs - before.cpuUs, calls: after.calls - before.calls, ms }
}
