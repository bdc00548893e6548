// Worker processes beside the one that serves, all real: one that dies is followed by another, which takes work. Refuses to
// kill by name: the process is found among those that the engine of this test started.

import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { Redis } from 'ioredis'
import { request } from 'undici'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Guard, openGuard } from '../../../harness/stack/guard.ts'
import { startPrivateRedis } from '../../../harness/stack/redis.ts'
import { children } from '../../stack/processes.ts'
import { until } from '../api/stand.ts'

let guard: Guard
let redis: Redis
let child: ReturnType<Guard['spawn']>
let origin = ''
const adminToken = randomBytes(24).toString('base64url')

beforeAll(async () => {
  guard = await openGuard()
  const { url } = await startPrivateRedis(guard)
  redis = new Redis(url)
  const main = fileURLToPath(new URL('../../../engine/main.ts', import.meta.url))
  const env = { PARTYWALL_REDIS_URL: url, PARTYWALL_ADMIN_TOKEN: adminToken, PARTYWALL_SLOTS: '1' }
  child = guard.spawn(process.execPath, [main, '--workers', '1'], {
    // What it says of the death is not looked at here.
    stdio: ['ignore', 'pipe', 'ignore'],
    env: { PATH: process.env.PATH ?? '', ...env },
  })
  const [line] = await once(child.stdout?.setEncoding('utf8') ?? child, 'data')
  origin = `http://127.0.0.1:${JSON.parse(String(line)).port}`
})
afterAll(async () => {
  redis.disconnect()
  await guard.close()
})

async function post(path: string, headers: Record<string, string>, body: unknown, method: 'POST' | 'PUT' = 'POST') {
  const sent = { method, headers: { ...headers, 'content-type': 'application/json' }, body: JSON.stringify(body) }
  return (await (await request(`${origin}${path}`, sent)).body.json()) as Record<string, unknown>
}

/** The process that listens for work beside the one that serves; null while there is none. */
async function worker(): Promise<number | null> {
  const found = children(child.pid ?? 0).filter(({ command }) => command.includes('engine/main.ts'))
  const listening = ((await redis.client('LIST')) as string).match(/name=partywall-bell/g)?.length ?? 0
  return listening === 2 ? (found[0]?.pid ?? null) : null
}

test('a worker process that is killed is followed by another one, which takes its share of the work', async () => {
  const first = await until(worker)
  process.kill(first, 'SIGKILL')
  const second = await until(async () => {
    const pid = await worker()
    return pid === first ? null : pid
  })
  expect(second).not.toBe(first)
  const { token } = await post('/v1/tenants', { authorization: `Bearer ${adminToken}` }, { id: 'two-slots' })
  const own = { authorization: `Bearer ${token}`, 'x-tenant-id': 'two-slots' }
  await post('/v1/workflows/long', own, { steps: [{ type: 'sleep', ms: 60_000 }] }, 'PUT')
  for (let i = 0; i < 3; i++) await post('/v1/runs', own, { workflow: 'long' })
  // One slot in each process: two runs at once, and the third waits.
  await until(async () => ((await redis.zcard('tenant:{two-slots}:runs:active')) === 2 ? true : null))
  expect(await redis.xlen('tenant:{two-slots}:workflow:events')).toBe(3)
})
