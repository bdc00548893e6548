// The API under bad input, made from its own OpenAPI document, the engine a process of its own: never a 5xx, never a crash,
// flat memory, every refusal a documented problem. PARTYWALL_FUZZ_SEED and PARTYWALL_FUZZ_CASES repeat or lengthen a run.

import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { Redis } from 'ioredis'
import { request } from 'undici'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { type Guard, openGuard } from '../../../harness/stack/guard.ts'
import { startPrivateRedis } from '../../../harness/stack/redis.ts'
import { type FuzzCase, Fuzzer, type OpenApi, type Operation } from './fuzzer.ts'
import { exchange, type RawAnswer } from './raw-http.ts'
import { until } from './stand.ts'

const seed = Number(process.env.PARTYWALL_FUZZ_SEED ?? Math.floor(Math.random() * 2 ** 31))
const cases = Number(process.env.PARTYWALL_FUZZ_CASES ?? 3000)
const AT_A_TIME = 8

let guard: Guard
let child: ReturnType<Guard['spawn']>
let port = 0
let document: OpenApi & {
  components: { schemas: { Problem: object }; headers: Record<string, { required?: boolean }> }
}
let fuzzer: Fuzzer
let said = ''
const adminToken = randomBytes(24).toString('base64url')

async function call(method: 'GET' | 'POST' | 'PUT', path: string, headers: Record<string, string>, body?: unknown) {
  const answer = await request(`http://127.0.0.1:${port}${path}`, {
    method,
    headers: { ...headers, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  return (await answer.body.json()) as Record<string, unknown>
}

beforeAll(async () => {
  console.log(`fuzz: run seed ${seed}, ${cases} cases`)
  guard = await openGuard()
  const { url } = await startPrivateRedis(guard)
  // A heap that is small for what comes: a leak ends the process, and idle garbage is not taken for one.
  child = guard.spawn(
    process.execPath,
    [
      '--max-old-space-size=96',
      '--max-semi-space-size=4',
      fileURLToPath(new URL('../../../engine/main.ts', import.meta.url)),
    ],
    {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { PATH: process.env.PATH ?? '', PARTYWALL_REDIS_URL: url, PARTYWALL_ADMIN_TOKEN: adminToken },
    },
  )
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    said += text
  })
  const [line] = await once(child.stdout?.setEncoding('utf8') ?? child, 'data')
  port = JSON.parse(String(line)).port
  document = (await call('GET', '/openapi.json', {})) as unknown as typeof document
  const admin = { authorization: `Bearer ${adminToken}` }
  const limits = { maxRunMs: 500, startsPerMinute: 1_000_000, maxQueued: 100_000, concurrentRuns: 50 }
  const { token } = await call('POST', '/v1/tenants', admin, { id: 'owner', limits })
  const headers = { authorization: `Bearer ${token}`, 'x-tenant-id': 'owner' }
  await call('PUT', '/v1/workflows/work', headers, { steps: [{ type: 'echo' }] })
  const { id: run } = await call('POST', '/v1/runs', headers, { workflow: 'work' })
  await call('PUT', '/v1/workflows/slow', headers, { steps: [{ type: 'sleep', ms: 60_000 }] })
  const { id: cancelled } = await call('POST', '/v1/runs', headers, { workflow: 'slow' })
  await call('POST', `/v1/runs/${cancelled}/cancel`, headers)
  const letters = await deadLetters(url, headers)
  fuzzer = new Fuzzer(seed, document, {
    tenant: 'owner',
    tokens: { admin: adminToken, tenant: String(token) },
    words: {
      'cancelRun.id': [String(run), String(cancelled), 'run_guest_1-1'],
      'redriveDeadLetter.id': [...letters, 'dead_owner_1-1', 'dead_guest_1-1'],
      'readRun.id': [String(run), 'run_owner_1-1', 'run_guest_1-1'],
      id: [String(run), 'guest', 'guest', 'run_owner_1-1', '1700000000000-0'],
      workflow: ['work', 'work', 'gone'],
      name: ['work', 'other'],
      code: ['rate-limited', 'none'],
      'idempotency-key': ['k1', 'k2', 'k3'],
    },
  })
})
afterAll(async () => await guard.close())

/** Entries for a workflow that comes later: each can be redriven once. */
async function deadLetters(url: string, headers: Record<string, string>): Promise<string[]> {
  const redis = new Redis(url)
  for (let i = 0; i < 40; i++) await redis.xadd('tenant:{owner}:workflow:events', '*', 'workflow', 'late', 'input', '1')
  redis.disconnect()
  const letters = await until(async () => {
    const { deadLetters } = await call('GET', '/v1/dead-letters', headers)
    return (deadLetters as { id: string }[]).length === 40 ? (deadLetters as { id: string }[]) : null
  })
  await call('PUT', '/v1/workflows/late', headers, { steps: [{ type: 'echo' }] })
  return letters.map(({ id }) => id)
}

/** Resident memory of the engine, MiB; null where the system does not tell. */
function residentMiB(): number | null {
  const file = `/proc/${child.pid}/status`
  if (!existsSync(file)) return null
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(file, 'utf8'))?.[1]) / 1024
}

const checkers = new Map<object, z.ZodType>()
function fits(schema: object, value: unknown): boolean {
  const checker = checkers.get(schema) ?? z.fromJSONSchema(schema as Parameters<typeof z.fromJSONSchema>[0])
  checkers.set(schema, checker)
  return checker.safeParse(value).success
}

/** From before an operation is known. */
const alwaysPossible = ['route-unknown', 'request-malformed', 'headers-too-large']
const headersSeen = new Set<string>()

function documentedCodes(operation: Operation, status: number): string[] {
  const found = JSON.stringify(operation.responses[status] ?? {})
  return found.match(/(?<=`)[a-z-]+(?=`:)/g) ?? []
}

/** What makes the message's end a matter of opinion: the server waits, or closes while the client still sends. */
const CUTS = new Set(['wrong length', 'two lengths', 'length and chunks', 'garbage for HTTP'])
const isCut = (spoilt: string[]) =>
  spoilt.some((what) => CUTS.has(what)) || (spoilt.includes('very large') && spoilt.length > 1)

/** The headers that mean something to a client of this API, beside those of HTTP itself. */
const TELLING = ['retry-after', 'www-authenticate', 'allow', 'idempotency-replayed']

/** Documented and answered headers must be the same, but for one that is in some answers only. */
function headerFault(operation: Operation, status: number, headers: Record<string, string>): string | null {
  const said = document.components.headers
  const documented = Object.entries(operation.responses[status]?.headers ?? {}).map(([name, { $ref }]) => {
    return { name: name.toLowerCase(), required: said[$ref?.split('/').at(-1) ?? '']?.required ?? false }
  })
  const names = new Set(documented.map(({ name }) => name))
  const silent = TELLING.filter((name) => name in headers && !names.has(name))
  const missing = documented.filter(({ name, required }) => required && !(name in headers)).map(({ name }) => name)
  for (const name of TELLING) if (name in headers) headersSeen.add(`${status} ${name}`)
  if (silent.length > 0) return `${status} carries ${silent}, which is not documented`
  return missing.length > 0 ? `${status} lacks ${missing}, which is documented` : null
}

/** What is wrong with an answer; null when nothing is. */
function faultOf({ operation, spoilt }: FuzzCase, { status, type, headers, body }: RawAnswer): string | null {
  const wrongHeaders = headerFault(operation, status, headers)
  if (wrongHeaders && !spoilt.includes('strange method')) return wrongHeaders
  if (status === 0) {
    // Another case may remove the tenant in mid-export: then the connection is cut, by design.
    return isCut(spoilt) || operation.operationId === 'exportTenant' ? null : 'no answer'
  }
  if (status >= 500) return `status ${status}`
  if (status < 300) {
    const content = operation.responses[status]?.content
    if (!operation.responses[status]) return `status ${status} is not documented`
    const schema = content?.['application/json']?.schema
    return schema && !fits(schema, JSON.parse(body))
      ? `the body of ${status} is not as documented: ${body.slice(0, 300)}`
      : null
  }
  if (!type.startsWith('application/problem+json')) return `${status} is no problem document but ${type}`
  const problem = JSON.parse(body) as { status: number; code: string }
  if (!fits(document.components.schemas.Problem, problem)) return `not a problem as documented: ${body}`
  if (problem.status !== status) return `${status} says ${problem.status}`
  if (spoilt.includes('strange method')) return null
  const codes = [...documentedCodes(operation, status), ...alwaysPossible]
  return codes.includes(problem.code) ? null : `${problem.code} is not documented for ${operation.operationId}`
}

describe('bad input', () => {
  test('gets a documented problem, whatever it is; right input still gets its answer', {
    timeout: 120_000,
  }, async () => {
    const slow = [1, 2, 3].map(() => exchange(port, slowBody()))
    const wrong: string[] = []
    const good = new Map<string, number>()
    const bySpoilt = new Map<string, number>()
    let left = cases
    const resident: (number | null)[] = []
    const worker = async () => {
      while (left-- > 0) {
        if (left === Math.floor(cases / 2)) resident.push(residentMiB())
        const made = fuzzer.next()
        const answer = await exchange(port, { chunks: made.chunks, withinMs: 5000 })
        const fault = faultOf(made, answer)
        if (fault) wrong.push(`${made.method} ${made.path} [${made.spoilt}] ${fault}`)
        if (answer.status > 0 && answer.status < 300) good.set(made.operation.operationId, 1)
        for (const what of made.spoilt) bySpoilt.set(what, (bySpoilt.get(what) ?? 0) + 1)
      }
    }
    await Promise.all(Array.from({ length: AT_A_TIME }, worker))
    expect(wrong.slice(0, 10)).toEqual([])
    const all = Object.values(document.paths).flatMap((methods) => Object.values(methods).map((o) => o.operationId))
    expect(all.filter((id) => !good.has(id))).toEqual([])
    expect(bySpoilt.size).toBeGreaterThan(30)
    // The comparison is of something: these are answered often.
    for (const seen of ['401 www-authenticate', '405 allow']) expect([...headersSeen]).toContain(seen)
    const [middleMiB = null, endMiB = null] = [...resident, residentMiB()]
    console.log(`fuzz: resident ${middleMiB?.toFixed(0)} MiB at half, ${endMiB?.toFixed(0)} MiB at the end`)
    if (middleMiB !== null && endMiB !== null) expect(endMiB - middleMiB).toBeLessThan(60)
    for (const answer of await Promise.all(slow)) {
      expect([answer.status, JSON.parse(answer.body || '{}').code]).toEqual([408, 'request-timeout'])
    }
    expect(child.exitCode).toBe(null)
    expect(said).not.toMatch(/"level":50|Unhandled|at .*\.ts:/)
    expect(said).not.toContain(adminToken)
  })
})

/** A start whose body comes a byte at a time, forever. */
function slowBody() {
  const head = `POST /v1/tenants HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${adminToken}\r\ncontent-type: application/json\r\ncontent-length: 1000\r\n\r\n`
  return { chunks: [head, ...Array.from({ length: 100 }, () => ' ')], pauseMs: 250, withinMs: 15_000 }
}
