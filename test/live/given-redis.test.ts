// A run on a Redis that was given to it: what was there stays, and nothing of the run's does.

import { join } from 'node:path'
import { Redis } from 'ioredis'
import { afterEach, expect, test } from 'vitest'
import { type Guard, openGuard } from '../../harness/stack/guard.ts'
import { startPrivateRedis } from '../../harness/stack/redis.ts'
import { folder, partywall, QUICK, saved, tidy } from './partywall.ts'

let guard: Guard | null = null
afterEach(async () => {
  tidy()
  await guard?.close()
})

const THEIRS = "#!lua name=theirs\nredis.register_function('theirs', function() return 1 end)"

test('a given Redis keeps what it held, and only that', async () => {
  guard = await openGuard()
  const { url } = await startPrivateRedis(guard)
  const redis = new Redis(url)
  await redis.set('mine', 'kept')
  await redis.xadd('tenant:{quiet-1}:workflow:events', '*', 'of', 'somebody else')
  await redis.function('LOAD', THEIRS)
  const out = join(folder(), 'run')
  const { code, stderr } = await partywall('run', QUICK, '--redis', url, '--budget', '12s', '--out', out)
  expect([0, 3], stderr).toContain(code)
  expect(saved(out).evidence.stack.redis).toBe(`given, Redis ${await version(redis)}`)
  expect((await redis.keys('*')).sort()).toEqual(['mine', 'tenant:{quiet-1}:workflow:events'])
  expect(await redis.xlen('tenant:{quiet-1}:workflow:events')).toBe(1)
  const libraries = (await redis.function('LIST')) as unknown[][]
  expect(libraries.map((library) => library[1])).toEqual(['theirs'])
  redis.disconnect()
}, 60_000)

async function version(redis: Redis): Promise<string> {
  return /redis_version:(\S+)/.exec(await redis.info('server'))?.[1] ?? ''
}
