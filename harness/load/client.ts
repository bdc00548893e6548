// One tenant's connection to the target in the generator: starts runs and learns of their completion.
// Times nothing itself; it calls back when a request leaves, is answered, and when a run is done.

import { Client, type Dispatcher, Pool } from 'undici'
import { pick } from '../target/json-path.ts'
import type { Call, TenantAccess } from '../target/port.ts'

export interface ClientEvents {
  left(seq: number): void
  ended(seq: number, ok: boolean): void
  received(bytes: Buffer, where: string): void
  runId(id: string): void
  problem(what: string): void
}

const CONNECTIONS = 256

interface Answer {
  status: number
  body: Buffer
}

export class TenantClient {
  readonly #access: TenantAccess
  readonly #events: ClientEvents
  readonly #pool: Pool
  readonly #timeoutMs: number
  #sse: Client | null = null
  /** Runs started and not yet seen done, and completions that overtook the answer to their start. */
  readonly #waiting = new Map<string, number>()
  readonly #early = new Map<string, boolean>()
  #closed = false

  constructor(access: TenantAccess, timeoutMs: number, events: ClientEvents) {
    this.#access = access
    this.#events = events
    this.#timeoutMs = timeoutMs
    this.#pool = new Pool(access.origin, { connections: CONNECTIONS, pipelining: 1, keepAliveTimeout: 60_000 })
  }

  /** Resolves once completions can be seen. */
  async subscribe(): Promise<void> {
    const { completion } = this.#access
    if (completion.by !== 'sse') return
    await new Promise<void>((resolve) => this.#openStream(completion.call, resolve))
  }

  start(seq: number, canary: string): void {
    const call = this.#access.start
    const body = call.body?.replaceAll('{{canary}}', canary)
    const leave = () => this.#events.left(seq)
    this.#send({ ...call, ...(body === undefined ? {} : { body }) }, 'answer to start', leave, (answer) => {
      if (answer === null || answer.status >= 300) return this.#events.ended(seq, false)
      const { completion, startIdAt } = this.#access
      const id = startIdAt === undefined ? null : parsedId(answer.body, startIdAt)
      if (completion.by === 'response') {
        if (id !== null) this.#events.runId(id)
        return this.#events.ended(seq, true)
      }
      if (id === null) return this.#events.ended(seq, false)
      this.#events.runId(id)
      this.#await(seq, id)
    })
  }

  #await(seq: number, id: string): void {
    const early = this.#early.get(id)
    if (early !== undefined) {
      this.#early.delete(id)
      this.#events.ended(seq, early)
      return
    }
    const { completion } = this.#access
    if (completion.by === 'sse') this.#waiting.set(id, seq)
    if (completion.by === 'poll') this.#poll(seq, id, performance.now() + this.#timeoutMs)
  }

  #poll(seq: number, id: string, until: number): void {
    const { completion, start } = this.#access
    if (completion.by !== 'poll' || this.#closed || performance.now() > until) return
    const path = completion.path.replaceAll('{id}', encodeURIComponent(id))
    setTimeout(() => {
      this.#send({ method: 'GET', path, headers: start.headers }, 'answer to poll', null, (answer) => {
        const status = answer && answer.status < 300 ? this.#statusOf(answer.body, completion.statusAt) : null
        if (status !== null && completion.done.includes(status)) return this.#events.ended(seq, true)
        if (status !== null && completion.failed.includes(status)) return this.#events.ended(seq, false)
        this.#poll(seq, id, until)
      })
    }, completion.everyMs)
  }

  #statusOf(body: Buffer, path: string): string | null {
    try {
      const status = pick(JSON.parse(body.toString()), path)
      return typeof status === 'string' ? status : null
    } catch {
      return null
    }
  }

  #send(call: Call, where: string, leave: (() => void) | null, done: (answer: Answer | null) => void): void {
    const chunks: Buffer[] = []
    let status = 0
    const handler: Dispatcher.DispatchHandler = {
      onRequestStart: () => leave?.(),
      onResponseStart: (_controller, statusCode) => {
        status = statusCode
      },
      onResponseData: (_controller, chunk) => {
        chunks.push(chunk)
      },
      onResponseEnd: () => {
        const body = chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks)
        this.#events.received(body, where)
        done({ status, body })
      },
      onResponseError: () => done(null),
    }
    const timeouts = { headersTimeout: this.#timeoutMs, bodyTimeout: this.#timeoutMs }
    const { method, path, headers } = call
    this.#pool.dispatch({ method, path, headers, body: call.body ?? null, ...timeouts }, handler)
  }

  #openStream(call: Call, ready: () => void): void {
    this.#sse = new Client(this.#access.origin, { bodyTimeout: 0, headersTimeout: this.#timeoutMs })
    let rest = ''
    const again = () => {
      if (!this.#closed) setTimeout(() => this.#openStream(call, () => {}), 100)
    }
    const handler: Dispatcher.DispatchHandler = {
      onRequestStart: () => {},
      onResponseStart: (_controller, status) => {
        if (status === 200) return
        this.#events.problem(`${this.#access.label}: the event stream answered ${status}`)
      },
      onResponseData: (_controller, chunk) => {
        ready()
        this.#events.received(chunk, 'event stream')
        const events = (rest + chunk.toString()).split('\n\n')
        rest = events.pop() ?? ''
        for (const event of events) this.#onEvent(event)
      },
      onResponseEnd: again,
      onResponseError: (_controller, error) => {
        this.#events.problem(`${this.#access.label}: the event stream broke: ${error.message}`)
        again()
      },
    }
    const { method, path, headers } = call
    this.#sse.dispatch({ method, path, headers: { ...headers, accept: 'text/event-stream' } }, handler)
  }

  #onEvent(event: string): void {
    const { completion } = this.#access
    if (completion.by !== 'sse') return
    const data = event
      .split('\n')
      .filter((line) => line.startsWith('data:'))
      .map((line) => line.slice(5).trimStart())
      .join('\n')
    if (data === '') return
    let parsed: unknown
    try {
      parsed = JSON.parse(data)
    } catch {
      return
    }
    const id = pick(parsed, completion.idAt)
    const status = pick(parsed, completion.statusAt)
    if (typeof id !== 'string' || typeof status !== 'string') return
    const ok = completion.done.includes(status)
    if (!ok && !completion.failed.includes(status)) return
    const seq = this.#waiting.get(id)
    if (seq === undefined) {
      if (this.#early.size < 10_000) this.#early.set(id, ok)
      return
    }
    this.#waiting.delete(id)
    this.#events.ended(seq, ok)
  }

  async close(): Promise<void> {
    this.#closed = true
    await Promise.allSettled([this.#pool.destroy(), this.#sse?.destroy()])
  }
}

function parsedId(body: Buffer, path: string): string | null {
  try {
    const id = pick(JSON.parse(body.toString()), path)
    return typeof id === 'string' || typeof id === 'number' ? String(id) : null
  } catch {
    return null
  }
}
