// The end of the engine's process on SIGTERM, the process real: what runs ends and is told, nothing new is taken, and it
// says so while it waits.

import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { Redis } from 'ioredis'
import { request } from 'undici'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Guard, openGuard } from '../../../harness/stack/guard.ts'
import { startPrivateRedis } from '../../../harness/stack/redis.ts'
import { until } from './stand.ts'

let guard: Guard
let redis: Redis
let url = ''
const adminToken = randomBytes(24).toString('base64url')

beforeAll(async () => {
  guard = await openGuard()
  url = (await startPrivateRedis(guard)).url
  redis = new Redis(url)
})
afterAll(async () => {
  redis.disconnect()
  await guard.close()
})

async function startProcess(args: string[]) {
  const main = fileURLToPath(new URL('../../../engine/main.ts', import.meta.url))
  const env = { PATH: process.env.PATH ?? '', PARTYWALL_REDIS_URL: url, PARTYWALL_ADMIN_TOKEN: adminToken }
  const child = guard.spawn(process.execPath, [main, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...env, PARTYWALL_SLOTS: '1' },
  })
  let said = ''
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    said += text
  })
  const [line] = await once(child.stdout?.setEncoding('utf8') ?? child, 'data')
  const origin = `http://127.0.0.1:${JSON.parse(String(line)).port}`
  return { child, origin, ended: once(child, 'exit'), said: () => said }
}

type Answer = { status: number; retryAfter: unknown; json: Record<string, unknown> }
type Headers = Record<string, string>

async function call(origin: string, method: 'GET' | 'POST' | 'PUT', path: string, headers: Headers, body?: unknown) {
  const type: Headers = body === undefined ? {} : { 'content-type': 'application/json' }
  const sent = body === undefined ? {} : { body: JSON.stringify(body) }
  const answer = await request(`${origin}${path}`, { method, headers: { ...headers, ...type }, ...sent })
  const json = (await answer.body.json()) as Record<string, unknown>
  return { status: answer.statusCode, retryAfter: answer.headers['retry-after'], json } satisfies Answer
}

const isDraining = ({ status, json, retryAfter }: Answer) => [status, json.code, retryAfter]

/** `count` runs of two seconds each, all running when the signal comes, one in each process' only slot. */
async function drained(id: string, args: string[], count: number) {
  const { child, origin, ended, said } = await startProcess(args)
  const admin = { authorization: `Bearer ${adminToken}` }
  const { json } = await call(origin, 'POST', '/v1/tenants', admin, { id })
  const own = { authorization: `Bearer ${json.token}`, 'x-tenant-id': id }
  await call(origin, 'PUT', '/v1/workflows/long', own, { steps: [{ type: 'sleep', ms: 2000 }, { type: 'echo' }] })
  // A worker process listens for work by now.
  const listening = async () => ((await redis.client('LIST')) as string).match(/name=partywall-bell/g)?.length ?? 0
  await until(async () => ((await listening()) === count ? true : null))
  const start = () => call(origin, 'POST', '/v1/runs', own, { workflow: 'long', input: 'kept' })
  const runs = await Promise.all(Array.from({ length: count }, start))
  const heads = async () => {
    const found = await redis.hmget(
      `tenant:{${id}}:runs`,
      ...runs.map((run) => String(run.json.id).split('_')[2] ?? ''),
    )
    return found.map((text) => JSON.parse(text ?? '{}') as Record<string, unknown>)
  }
  await until(async () => ((await heads()).every(({ status }) => status === 'running') ? true : null))
  child.kill('SIGTERM')
  const ready = await until(async () => {
    const answer = await call(origin, 'GET', '/readyz', {})
    return answer.status === 200 ? null : answer
  })
  const [refused, health, read] = await Promise.all([
    start(),
    call(origin, 'GET', '/healthz', {}),
    call(origin, 'GET', `/v1/runs/${runs[0]?.json.id}`, own),
  ])
  const [code] = await ended
  return { ready, refused, health, read, code, heads: await heads(), said: said() }
}

test.each([
  ['alone', [], 1],
  ['with a worker process beside it', ['--workers', '1'], 2],
] as const)(
  'a process that is told to end finishes what runs, takes nothing new, and ends well: %s',
  async (_, args, count) => {
    const seen = await drained(`drains-${count}`, [...args], count)
    expect(isDraining(seen.ready)).toEqual([503, 'engine-draining', '1'])
    expect(isDraining(seen.refused)).toEqual([503, 'engine-draining', '1'])
    expect([seen.health.status, seen.read.status, seen.read.json.status]).toEqual([200, 200, 'running'])
    expect(seen.heads.map(({ status, output }) => [status, output])).toEqual(Array(count).fill(['done', 'kept']))
    expect(await redis.xlen(`tenant:{drains-${count}}:workflow:events`)).toBe(0)
    expect([seen.code, seen.said]).toEqual([0, ''])
  },
)
