// The adapter for the reference engine: talks to its public HTTP API, like anyone else's. It never imports the engine.

import { Redis } from 'ioredis'
import { request } from 'undici'
import { z } from 'zod'
import { Failure } from '../failure.ts'
import {
  called,
  type PlannedWorkflow,
  type RunRecord,
  type Target,
  type TenantAccess,
  type TenantPlan,
} from './port.ts'
import { type ReferenceParts, ReferenceProcess } from './reference-process.ts'

const created = z.object({ id: z.string(), token: z.string(), stream: z.string() })
const counted = z.object({ queued: z.number(), active: z.number() })
const told = z
  .object({
    id: z.string(),
    workflow: z.string(),
    source: z.string(),
    status: z.string(),
    attempt: z.number().default(1),
    queuedAt: z.number(),
    startedAt: z.number().optional(),
    endedAt: z.number().optional(),
  })
  .transform(({ queuedAt, startedAt, endedAt, ...said }): RunRecord => {
    return { ...said, queuedMs: queuedAt, startedMs: startedAt ?? null, endedMs: endedAt ?? null }
  })
const page = z.object({ cursor: z.string().nullable(), runs: z.array(told) })
const PAGE = 1000

type Call = (method: Method, path: string, body?: unknown, headers?: Record<string, string>) => Promise<unknown>
type Method = 'GET' | 'POST' | 'PUT' | 'DELETE'

export function referenceTarget(parts: ReferenceParts): Target {
  const engine = new ReferenceProcess(parts)

  async function call(method: Method, path: string, body?: unknown, headers = {}): Promise<unknown> {
    const answer = await request(`${engine.origin}${path}`, {
      method,
      headers: { authorization: `Bearer ${engine.adminToken}`, 'content-type': 'application/json', ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      headersTimeout: 5000,
      bodyTimeout: 5000,
    })
    const text = await answer.body.text()
    if (answer.statusCode >= 300) throw new Refused(`${method} ${path}`, answer.statusCode, text)
    return text === '' ? null : JSON.parse(text)
  }

  return {
    name: parts.defect ? `reference with seeded defect ${parts.defect}` : 'reference',
    capabilities: new Set([
      'sse',
      'stream',
      'read',
      'list',
      'backlog',
      'trips',
      'tenants',
      'steps',
      'weights',
      'history',
      'export',
      'groups',
      'crash',
    ]),
    exited: engine.exited,
    async reach(withinMs) {
      const answer = await request(`${engine.origin}/healthz`, { headersTimeout: withinMs, bodyTimeout: withinMs })
      await answer.body.dump()
    },
    start: () => engine.start(),
    crash: () => engine.crash(),
    stop: () => engine.stop(),
    trips: async () => engine.trips,

    async provision(plan: TenantPlan): Promise<TenantAccess> {
      try {
        return await make(plan, call, { origin: engine.origin, redisUrl: parts.redisUrl })
      } catch (cause) {
        throw notMade(plan, cause)
      }
    },

    async remove(access) {
      await call('DELETE', `/v1/tenants/${access.id}`)
    },

    async backlog(access) {
      const { queued, active } = counted.parse(await call('GET', `/v1/tenants/${access.id}`))
      return queued + active
    },

    async runs(access) {
      const { headers } = called(access).start
      const found: RunRecord[] = []
      for (let cursor: string | null = ''; cursor !== null; ) {
        const after = cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`
        const read: z.infer<typeof page> = page.parse(
          await call('GET', `/v1/runs?limit=${PAGE}${after}`, undefined, headers),
        )
        found.push(...read.runs)
        cursor = read.cursor
      }
      return found
    },

    async run(access, id) {
      const { headers } = called(access).start
      try {
        return told.parse(await call('GET', `/v1/runs/${encodeURIComponent(id)}`, undefined, headers))
      } catch (error) {
        if (error instanceof Refused && error.status === 404) return null
        throw error
      }
    },

    async loseGroups({ stream }) {
      if (!stream) return 0
      const redis = new Redis(stream.redisUrl, { maxRetriesPerRequest: 1 })
      redis.on('error', () => {}) // told by the commands below
      try {
        const groups = z.array(z.array(z.unknown())).parse(await redis.xinfo('GROUPS', stream.key))
        for (const group of groups) await redis.xgroup('DESTROY', stream.key, String(group[1]))
        return groups.length
      } finally {
        redis.disconnect()
      }
    },
  }
}

/** The tenant and its workflows. */
async function make(plan: TenantPlan, call: Call, place: Pick<Place, 'origin' | 'redisUrl'>): Promise<TenantAccess> {
  const { startsPerMinute, concurrentRuns, maxRunMs, maxQueued, maxPayloadBytes, weight = 1 } = plan
  const limits = { startsPerMinute, concurrentRuns, maxRunMs, maxQueued, maxPayloadBytes, weight }
  const { id, token, stream } = created.parse(await call('POST', '/v1/tenants', { id: plan.id, limits }))
  const headers = { authorization: `Bearer ${token}`, 'x-tenant-id': id }
  const steps = [{ type: 'sleep', ms: plan.stepMs }, { type: 'echo' }]
  await call('PUT', '/v1/workflows/work', { steps }, headers)
  for (const workflow of plan.workflows ?? []) {
    await call('PUT', `/v1/workflows/${workflow.name}`, definitionOf(workflow), headers)
  }
  return accessOf({ ...plan, id }, { ...place, stream, headers })
}

const problem = z.object({ code: z.string(), detail: z.string().optional() })

/** The engine answered, and said no; its own words are kept. */
class Refused extends Error {
  readonly status: number

  constructor(what: string, status: number, text: string) {
    super(`${what} answered ${status}${Refused.#detailOf(text)}`)
    this.status = status
  }

  static #detailOf(text: string): string {
    try {
      const { code, detail } = problem.parse(JSON.parse(text))
      return ` [${code}]${detail === undefined ? '' : ` ${detail}`}`
    } catch {
      return ''
    }
  }
}

/** What was asked for is the scenario's to mend; everything else is not there as it should be. */
function notMade(plan: TenantPlan, cause: unknown): Failure {
  const why = cause instanceof Error ? cause.message : String(cause)
  const what = `the reference engine did not make the tenant ${plan.label} (${plan.id}): ${why}`
  if (cause instanceof Refused && cause.status === 400) {
    const fix = `mend what the scenario says of the tenant ${plan.label}: its limits, its stepMs`
    return new Failure('usage', 'tenant-refused', what, { fix, cause })
  }
  const fix =
    "look whether the engine's process and its Redis are there, and whether that Redis holds such a tenant already"
  return new Failure('environment', 'tenant-not-made', what, { fix, cause })
}

/** A failing step is the model stub that always fails. */
function definitionOf({ does, ms, retry }: PlannedWorkflow) {
  const step = does === 'fail' ? { type: 'model', ms, failureRate: 1 } : { type: does, ms }
  return { steps: [step], ...(retry ? { retry } : {}) }
}

interface Place {
  origin: string
  redisUrl: string
  stream: string
  headers: Record<string, string>
}

function accessOf({ label, id, stepMs, workflows = [] }: TenantPlan, place: Place): TenantAccess {
  const { origin, redisUrl, stream, headers } = place
  const input = { canary: '{{canary}}' }
  const startOf = (workflow: string) => ({
    method: 'POST' as const,
    path: '/v1/runs',
    headers: { ...headers, 'content-type': 'application/json' },
    body: JSON.stringify({ workflow, input }),
  })
  return {
    label,
    id,
    stepMs,
    origin,
    start: startOf('work'),
    startIdAt: 'id',
    starts: Object.fromEntries(workflows.map(({ name }) => [name, startOf(name)])),
    completion: {
      by: 'sse',
      call: { method: 'GET', path: '/v1/events', headers },
      idAt: 'id',
      statusAt: 'status',
      done: ['done'],
      failed: ['failed', 'timed-out', 'cancelled', 'dead'],
    },
    read: { method: 'GET', path: '/v1/runs/{id}', headers },
    list: { method: 'GET', path: '/v1/runs?limit=20', headers },
    listNext: { cursorAt: 'cursor', param: 'cursor' },
    export: { method: 'GET', path: '/v1/export', headers },
    stream: { redisUrl, key: stream, ...entriesOf(id, JSON.stringify(input)) },
  }
}

function entriesOf(tenant: string, input: string) {
  const bare = { workflow: 'work', input }
  return {
    fields: { v: '1', tenant, ...bare },
    bare,
    malformed: [
      { input },
      { workflow: 'absent', input },
      { tenant: 'somebody-else', ...bare },
      { ...bare, input: input.slice(0, -1) },
    ],
  }
}
