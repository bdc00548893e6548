// One tenant's connections to the target in the generator: starts runs and learns of their completion.
// Times nothing itself; it calls back when an operation has ended, and with every canary that the tenant was shown.

import { type Dispatcher, Pool } from 'undici'
import { pick } from '../target/json-path.ts'
import type { Call, CalledAccess } from '../target/port.ts'
import type { Sighting } from '../tenants/canary.ts'
import type { Scanner } from '../tenants/scanner.ts'
import { EventStream } from './event-stream.ts'
import type { OperationOutcome } from './ledger.ts'
import { Rendezvous } from './rendezvous.ts'

export interface ClientEvents {
  /** `unfinished`: nobody knows, and nobody will, since it was waited for long enough. */
  ended(seq: number, outcome: OperationOutcome): void
  /** One answer, or one piece of the event stream, came in. */
  received(): void
  seen(sightings: readonly Sighting[], where: string): void
  runId(id: string, seq: number): void
  problem(what: string): void
  /** An error of ours in what a connection called back: it is thrown on, and must not pass for the target's doing. */
  threw(error: unknown): void
}

export interface ClientOptions {
  timeoutMs: number
  /** Connections that may be open at the same time; see `connectionsFor`. */
  connections: number
  scanner: Scanner
}

const MOST_CONNECTIONS = 4096
const ALL_CONNECTIONS = 16_384

/**
 * Enough that an arrival never waits for a connection of ours while others wait for a stalled target: all that can be open
 * before the first is given up. Bounded, since loopback has about 28,000 ports.
 */
export function connectionsFor(ratePerSecond: number, timeoutMs: number, tenants: number): number {
  const wanted = Math.ceil((ratePerSecond * timeoutMs) / 1000)
  return Math.max(64, Math.min(wanted, MOST_CONNECTIONS, Math.floor(ALL_CONNECTIONS / tenants)))
}

/**
 * Time to the next poll of a run. It grows with the run's age, so that a slow target is not drowned in questions: a
 * completion is seen at most 12.5 % of the run's age late (and `everyMs` where that is more), and never more than 250 ms.
 */
export function pollAfterMs(everyMs: number, ageMs: number): number {
  return Math.max(everyMs, Math.min(ageMs / 8, 250))
}

type Completion = CalledAccess['completion']
type Answer = { status: number; body: Buffer } | { status: null; isTimeout: boolean }

export class TenantClient {
  readonly #access: CalledAccess
  readonly #events: ClientEvents
  readonly #pool: Pool
  readonly #timeoutMs: number
  readonly #scanner: Scanner
  #stream: EventStream | null = null
  /** Of runs whose end the event stream tells. */
  readonly #runs: Rendezvous
  #closed = false

  constructor(access: CalledAccess, { timeoutMs, connections, scanner }: ClientOptions, events: ClientEvents) {
    this.#access = access
    this.#events = events
    this.#runs = new Rendezvous((seq, outcome) => events.ended(seq, outcome))
    this.#timeoutMs = timeoutMs
    this.#scanner = scanner
    const times = { keepAliveTimeout: 60_000, connectTimeout: timeoutMs }
    this.#pool = new Pool(access.origin, { connections, pipelining: 1, ...times })
  }

  /** Resolves once completions can be seen. */
  async subscribe(): Promise<void> {
    const { completion } = this.#access
    if (completion.by === 'sse') await new Promise<void>((ready) => this.#openStream(completion, ready))
  }

  /** Hands one start over to the connections. */
  start(seq: number, canary: string): void {
    const startedMs = performance.now()
    const call = this.#access.start
    const body = call.body?.replaceAll('{{canary}}', canary)
    this.#send({ ...call, ...(body === undefined ? {} : { body }) }, 'answer to start', (answer) => {
      if (answer.status === null) return this.#events.ended(seq, answer.isTimeout ? 'unfinished' : 'failed')
      if (answer.status >= 300) return this.#events.ended(seq, 'failed')
      const { completion, startIdAt } = this.#access
      const id = startIdAt === undefined ? null : parsedId(answer.body, startIdAt)
      // An answer without the id that was declared has started nothing, whatever its status says.
      if (id === null && !(completion.by === 'response' && startIdAt === undefined)) {
        return this.#events.ended(seq, 'failed')
      }
      if (id !== null) this.#events.runId(id, seq)
      if (completion.by === 'response') return this.#events.ended(seq, 'ok')
      this.#await(seq, id ?? '', startedMs)
    })
  }

  #await(seq: number, id: string, startedMs: number): void {
    const { completion } = this.#access
    if (completion.by === 'sse') this.#runs.started(id, seq)
    if (completion.by === 'poll') this.#poll(seq, id, startedMs, completion)
  }

  #poll(seq: number, id: string, startedMs: number, how: Extract<Completion, { by: 'poll' }>): void {
    const ageMs = performance.now() - startedMs
    if (this.#closed) return
    if (ageMs > this.#timeoutMs) {
      this.#events.ended(seq, 'unfinished')
      return
    }
    const path = how.path.replaceAll('{id}', encodeURIComponent(id))
    const { headers } = this.#access.start
    setTimeout(
      () => {
        this.#send({ method: 'GET', path, headers }, 'answer to poll', (answer) => {
          const isWell = answer.status !== null && answer.status < 300
          const outcome = isWell ? this.#outcomeOf(answer.body, how) : null
          if (outcome !== null) return this.#events.ended(seq, outcome)
          this.#poll(seq, id, startedMs, how)
        })
      },
      pollAfterMs(how.everyMs, ageMs),
    )
  }

  #outcomeOf(body: Buffer, how: Extract<Completion, { by: 'poll' }>): OperationOutcome | null {
    const status = pick(parsed(body.toString()), how.statusAt)
    if (typeof status !== 'string') return null
    if (how.done.includes(status)) return 'ok'
    return how.failed.includes(status) ? 'failed' : null
  }

  #send(call: Call, where: string, done: (answer: Answer) => void): void {
    const chunks: Buffer[] = []
    let status = 0
    const take = (): Buffer => {
      const body = chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks)
      this.#events.received()
      this.#events.seen(this.#scanner.body(body), where)
      return body
    }
    const handler: Dispatcher.DispatchHandler = {
      onRequestStart: () => {},
      onResponseStart: (_controller, statusCode, headers) => {
        status = statusCode
        this.#told(() => this.#headers(headers, where))
      },
      onResponseData: (_controller, chunk) => {
        chunks.push(chunk)
      },
      onResponseEnd: () => this.#told(() => done({ status, body: take() })),
      onResponseError: (_controller, error) => {
        this.#told(() => {
          // What came before an answer broke was seen all the same.
          if (chunks.length > 0) take()
          done({ status: null, isTimeout: isTimeout(error) })
        })
      },
    }
    const timeouts = { headersTimeout: this.#timeoutMs, bodyTimeout: this.#timeoutMs }
    const { method, path, headers } = call
    this.#pool.dispatch({ method, path, headers, body: call.body ?? null, ...timeouts }, handler)
  }

  /** Tells of an error of ours before the connection takes it for one of its own. */
  #told(work: () => void): void {
    try {
      work()
    } catch (error) {
      this.#events.threw(error)
      throw error
    }
  }

  #headers(headers: Record<string, string | string[] | undefined>, where: string): void {
    const text = Object.entries(headers).flat(2).join('\n')
    this.#events.seen(this.#scanner.headers(text), `headers of ${where}`)
  }

  #openStream(completion: Extract<Completion, { by: 'sse' }>, ready: () => void): void {
    const where = 'event stream'
    let seam = this.#scanner.stream()
    this.#stream = new EventStream(this.#access.origin, completion.call, this.#timeoutMs, {
      ready,
      headers: (headers) => {
        seam = this.#scanner.stream()
        this.#told(() => this.#headers(headers, where))
      },
      piece: (bytes) => {
        this.#events.received()
        this.#told(() => this.#events.seen(seam.next(bytes), where))
      },
      data: (text) => this.#told(() => this.#onEvent(text, completion)),
      problem: (what) => this.#events.problem(`${this.#access.label}: ${what}`),
    })
  }

  #onEvent(data: string, { idAt, statusAt, done, failed }: Extract<Completion, { by: 'sse' }>): void {
    const event = parsed(data)
    const id = pick(event, idAt)
    const status = pick(event, statusAt)
    if (typeof id !== 'string' || typeof status !== 'string') return
    const isDone = done.includes(status)
    if (!isDone && !failed.includes(status)) return
    this.#runs.ended(id, isDone ? 'ok' : 'failed')
  }

  async close(): Promise<void> {
    this.#closed = true
    await Promise.allSettled([this.#pool.destroy(), this.#stream?.close()])
  }
}

/** Parsed JSON; undefined when it is none, as when there is nothing to pick from. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function parsedId(body: Buffer, path: string): string | null {
  const id = pick(parsed(body.toString()), path)
  return typeof id === 'string' || typeof id === 'number' ? String(id) : null
}

function isTimeout(error: Error): boolean {
  return 'code' in error && /^UND_ERR_(HEADERS|BODY|CONNECT)_TIMEOUT$/.test(String(error.code))
}
