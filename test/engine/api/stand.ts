// A private Redis and an engine in this process, for the tests of the API: requests go over a real socket. Refuses to
// outlive its test file: close() ends both.

import { randomBytes } from 'node:crypto'
import { Writable } from 'node:stream'
import { Redis } from 'ioredis'
import { request } from 'undici'
import { type EngineOptions, type EngineParts, startEngine } from '../../../engine/index.ts'
import { openLog } from '../../../engine/telemetry/log.ts'
import { openGuard } from '../../../harness/stack/guard.ts'
import { startPrivateRedis } from '../../../harness/stack/redis.ts'

export interface Answered {
  status: number
  headers: Record<string, string | string[] | undefined>
  /** Null without a body. */
  json: Record<string, unknown> | null
  text: string
}

type Call = (method: string, path: string, body?: unknown, headers?: Record<string, string>) => Promise<Answered>

export interface TenantClient {
  id: string
  token: string
  headers: { authorization: string; 'x-tenant-id': string }
  call: Call
  /** Starts a run of `workflow` and waits for its end. */
  finished(workflow: string, input?: unknown): Promise<Record<string, unknown>>
}

export async function openStand(parts: EngineParts = {}, options: Partial<EngineOptions> = {}) {
  const guard = await openGuard()
  const { url } = await startPrivateRedis(guard)
  const adminToken = randomBytes(24).toString('base64url')
  const redis = new Redis(url)
  const logLines: string[] = []
  const sink = new Writable({
    write(chunk, _encoding, done) {
      logLines.push(String(chunk))
      done()
    },
  })
  const log = openLog('trace', sink)
  const start = () =>
    startEngine(
      { redisUrl: url, adminToken, namespace: 'test', slots: 16, ephemeral: false, log, ...options },
      0,
      parts,
    )
  const engines = [await start()]
  const origin = `http://127.0.0.1:${engines[0]?.port}`
  const tokens: string[] = [adminToken]

  const callAt =
    (at: string, own: Record<string, string>): Call =>
    async (method, path, body, headers = {}) => {
      const answer = await request(`${at}${path}`, {
        method: method as 'GET',
        headers: { ...own, ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
        ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      })
      const text = await answer.body.text()
      const isJson = /^application\/(problem\+)?json/.test(String(answer.headers['content-type']))
      return { status: answer.statusCode, headers: answer.headers, text, json: isJson ? JSON.parse(text) : null }
    }

  const admin = callAt(origin, { authorization: `Bearer ${adminToken}` })

  async function tenant(id: string, limits: Record<string, number> = {}): Promise<TenantClient> {
    const created = await admin('POST', '/v1/tenants', { id, limits })
    if (created.status !== 201) throw new Error(`creating ${id}: ${created.text}`)
    const token = String(created.json?.token)
    tokens.push(token)
    const headers = { authorization: `Bearer ${token}`, 'x-tenant-id': id }
    const call = callAt(origin, headers)
    await call('PUT', '/v1/workflows/echo', { steps: [{ type: 'echo' }] })
    return {
      id,
      token,
      headers,
      call,
      async finished(workflow, input) {
        const started = await call('POST', '/v1/runs', { workflow, input })
        if (started.status !== 202) throw new Error(started.text)
        return await until(async () => {
          const run = (await call('GET', `/v1/runs/${started.json?.id}`)).json
          return run && run.status !== 'queued' && run.status !== 'running' ? run : null
        })
      },
    }
  }

  return {
    origin,
    redis,
    admin,
    adminToken,
    tenant,
    anybody: callAt(origin, {}),
    callAt,
    logLines,
    /** Every token that was given out. */
    tokens,
    /** One more process' worth of engine on the same Redis; its origin. */
    async another() {
      const engine = await start()
      engines.push(engine)
      return `http://127.0.0.1:${engine.port}`
    },
    async close() {
      for (const engine of engines) await engine.stop(1000)
      redis.disconnect()
      await guard.close()
    },
  }
}

export type Stand = Awaited<ReturnType<typeof openStand>>

/** Asks again until there is an answer. */
export async function until<T>(ask: () => Promise<T | null>, withinMs = 10_000): Promise<T> {
  const deadline = Date.now() + withinMs
  for (;;) {
    const found = await ask()
    if (found !== null) return found
    if (Date.now() > deadline) throw new Error(`nothing within ${withinMs} ms`)
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

/** Server-sent events as they come, until `leave`. */
export function watch(origin: string, headers: Record<string, string>) {
  const abort = new AbortController()
  const events: { id: string; data: Record<string, unknown> }[] = []
  let status = 0
  let ended = false
  const opened = Promise.withResolvers<void>()
  const reading = (async () => {
    const answer = await request(`${origin}/v1/events`, { headers, signal: abort.signal })
    status = answer.statusCode
    let rest = ''
    for await (const chunk of answer.body.setEncoding('utf8')) {
      const blocks = (rest + chunk).split('\n\n')
      rest = blocks.pop() ?? ''
      for (const block of blocks) {
        const [, id, data] = /^id: (.*)\nevent: run\ndata: (.*)$/.exec(block) ?? []
        if (id !== undefined && data !== undefined) events.push({ id, data: JSON.parse(data) })
        opened.resolve()
      }
    }
  })()
    .catch(() => {})
    .finally(() => {
      ended = true
      opened.resolve()
    })
  return {
    events,
    opened: opened.promise,
    status: () => status,
    ended: () => ended,
    async leave() {
      abort.abort()
      await reading
    },
  }
}
