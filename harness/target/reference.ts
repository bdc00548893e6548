// The adapter for the reference engine: starts it as a separate process and talks to its public HTTP API, like anyone
// else's. It never imports the engine.

import { randomBytes } from 'node:crypto'
import type { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { request } from 'undici'
import { z } from 'zod'
import { Failure } from '../failure.ts'
import type { Guard } from '../stack/guard.ts'
import type { Target, TargetExit, TenantAccess, TenantPlan } from './port.ts'

export interface ReferenceParts {
  guard: Guard
  redisUrl: string
  /** Keeps our scheduler keys apart on a Redis that was given to us. */
  namespace: string
  defect: string | null
}

const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js'
const script = (path: string) => fileURLToPath(new URL(`../../engine/${path}.${extension}`, import.meta.url))

const created = z.object({ id: z.string(), token: z.string(), stream: z.string() })
const counted = z.object({ queued: z.number(), active: z.number() })
const tripLine = z.object({ trips: z.number() })
const readyLine = z.object({ port: z.number() })

export const defectList = z.array(z.object({ name: z.string(), what: z.string(), promise: z.string() }))
export type DefectList = z.infer<typeof defectList>

/** The second door's own list: asked of a process, since the harness does not know the engine. */
export async function listDefects(): Promise<DefectList> {
  const { execFile } = await import('node:child_process')
  const text = await new Promise<string>((resolve, reject) => {
    execFile(process.execPath, [script('defects/main'), '--list'], { timeout: 10_000 }, (error, stdout) => {
      error ? reject(new Error('the engine did not list its seeded defects', { cause: error })) : resolve(stdout)
    })
  })
  return defectList.parse(JSON.parse(text))
}

const READY_WITHIN_MS = 15_000

export function referenceTarget(parts: ReferenceParts): Target {
  const adminToken = randomBytes(24).toString('base64url')
  const ended = Promise.withResolvers<TargetExit>()
  let origin = ''
  let trips: number | null = null
  let child: ReturnType<Guard['spawn']> | null = null
  let stopping = false

  async function admin(method: 'GET' | 'POST' | 'PUT' | 'DELETE', path: string, body?: unknown, headers = {}) {
    const answer = await request(`${origin}${path}`, {
      method,
      headers: { authorization: `Bearer ${adminToken}`, 'content-type': 'application/json', ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      headersTimeout: 5000,
      bodyTimeout: 5000,
    })
    const text = await answer.body.text()
    if (answer.statusCode >= 300) throw new Error(`${method} ${path} answered ${answer.statusCode}`)
    return text === '' ? null : JSON.parse(text)
  }

  return {
    name: parts.defect ? `reference with seeded defect ${parts.defect}` : 'reference',
    capabilities: new Set(['sse', 'stream', 'read', 'list', 'backlog', 'trips']),
    exited: ended.promise,

    async start() {
      const args = parts.defect ? [script('defects/main'), '--defect', parts.defect] : [script('main')]
      child = parts.guard.spawn(process.execPath, args, {
        stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
        env: {
          PATH: process.env.PATH ?? '',
          PARTYWALL_REDIS_URL: parts.redisUrl,
          PARTYWALL_PORT: '0',
          PARTYWALL_ADMIN_TOKEN: adminToken,
          PARTYWALL_NAMESPACE: parts.namespace,
          PARTYWALL_EPHEMERAL: '1',
        },
      })
      const said = tail(child.stderr)
      child.on('exit', (code, signal) => {
        if (stopping) return
        const how = signal ? `ended by ${signal}` : `ended with exit code ${code}`
        const last = said()
        ended.resolve({ reason: `the engine's process ${how}${last ? ` after saying: ${last}` : ''}` })
      })
      const relay = child.stdio[3]
      if (relay)
        eachLine(relay as Readable, (line) => {
          trips = tripLine.safeParse(parseJson(line)).data?.trips ?? trips
        })
      origin = `http://127.0.0.1:${await readyPort(child.stdout, ended.promise)}`
    },

    async provision(plan: TenantPlan): Promise<TenantAccess> {
      const { id, token, stream } = created.parse(
        await admin('POST', '/v1/tenants', {
          id: plan.id,
          limits: {
            startsPerMinute: plan.startsPerMinute,
            concurrentRuns: plan.concurrentRuns,
            maxRunMs: plan.maxRunMs,
            maxQueued: plan.maxQueued,
          },
        }),
      )
      const headers = { authorization: `Bearer ${token}`, 'x-tenant-id': id }
      const steps = [{ type: 'sleep', ms: plan.stepMs }, { type: 'echo' }]
      await admin('PUT', '/v1/workflows/work', { steps }, headers)
      return accessOf({ ...plan, id }, stream, headers)
    },

    async remove(access) {
      await admin('DELETE', `/v1/tenants/${access.id}`)
    },

    async backlog(access) {
      const { queued, active } = counted.parse(await admin('GET', `/v1/tenants/${access.id}`))
      return queued + active
    },

    async trips() {
      return trips
    },

    async stop() {
      stopping = true
      if (!child || child.exitCode !== null || child.signalCode !== null) return
      const gone = new Promise((resolve) => child?.once('exit', resolve))
      child.kill('SIGTERM')
      const killer = setTimeout(() => child?.kill('SIGKILL'), 7000)
      await gone
      clearTimeout(killer)
    },
  }

  function accessOf({ label, id, stepMs }: TenantPlan, stream: string, headers: Record<string, string>): TenantAccess {
    const input = { canary: '{{canary}}' }
    return {
      label,
      id,
      stepMs,
      origin,
      start: {
        method: 'POST',
        path: '/v1/runs',
        headers: { ...headers, 'content-type': 'application/json' },
        body: JSON.stringify({ workflow: 'work', input }),
      },
      startIdAt: 'id',
      completion: {
        by: 'sse',
        call: { method: 'GET', path: '/v1/events', headers },
        idAt: 'id',
        statusAt: 'status',
        done: ['done'],
        failed: ['failed', 'timed-out', 'cancelled', 'dead'],
      },
      read: { method: 'GET', path: '/v1/runs/{id}', headers },
      list: { method: 'GET', path: '/v1/runs?limit=100', headers },
      stream: {
        redisUrl: parts.redisUrl,
        key: stream,
        fields: { v: '1', tenant: id, workflow: 'work', input: JSON.stringify(input) },
      },
    }
  }
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    return null
  }
}

function eachLine(stream: Readable, visit: (line: string) => void): void {
  let rest = ''
  stream.setEncoding('utf8')
  stream.on('error', () => {})
  stream.on('data', (chunk: string) => {
    const lines = (rest + chunk).split('\n')
    rest = lines.pop() ?? ''
    lines.forEach(visit)
  })
}

/** The last line that a process said, for the reason of its end. */
function tail(stream: Readable | null): () => string {
  let last = ''
  if (stream) {
    eachLine(stream, (line) => {
      if (line.trim() !== '') last = line.slice(0, 300)
    })
  }
  return () => last
}

async function readyPort(stdout: Readable | null, exited: Promise<TargetExit>): Promise<number> {
  const ready = Promise.withResolvers<number>()
  if (stdout) {
    eachLine(stdout, (line) => {
      const parsed = readyLine.safeParse(parseJson(line))
      if (parsed.success) ready.resolve(parsed.data.port)
    })
  }
  const timer = setTimeout(
    () => ready.reject(new Error(`not ready within ${READY_WITHIN_MS / 1000} s`)),
    READY_WITHIN_MS,
  )
  try {
    return await Promise.race([ready.promise, exited.then(({ reason }) => Promise.reject(new Error(reason)))])
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new Failure('environment', 'target-not-starting', `the reference engine did not start: ${why}`, {
      fix: 'run `npm run -s partywall -- doctor`; it says what is missing',
      cause,
    })
  } finally {
    clearTimeout(timer)
  }
}
