// One tenant's work on a system that is started by entries in its own Redis stream: adds them, and learns of their end from a
// results stream or from the group's pending list. Reads nothing else, and deletes nothing.

import { Redis } from 'ioredis'
import type { StreamedAccess } from '../target/port.ts'
import { streamGroup } from '../target/stream-group.ts'
import type { Scanner } from '../tenants/scanner.ts'
import type { ClientEvents } from './client.ts'
import { Rendezvous } from './rendezvous.ts'

const BLOCK_MS = 500
const RESULTS_A_READ = 500
const PENDING_A_LOOK = 1000
const AGAIN_MS = 100

interface StreamClientOptions {
  timeoutMs: number
  scanner: Scanner
}

type Entry = [id: string, fields: string[]]

export class StreamClient {
  readonly #access: StreamedAccess
  readonly #scanner: Scanner
  readonly #events: ClientEvents
  readonly #writer: Redis
  readonly #reader: Redis
  readonly #entries: Rendezvous
  #closed = false

  constructor(access: StreamedAccess, { timeoutMs, scanner }: StreamClientOptions, events: ClientEvents) {
    this.#access = access
    this.#scanner = scanner
    this.#events = events
    this.#entries = new Rendezvous((seq, outcome) => events.ended(seq, outcome))
    const connect = (commandTimeout?: number) => {
      const redis = new Redis(access.stream.redisUrl, {
        maxRetriesPerRequest: 0,
        enableOfflineQueue: false,
        lazyConnect: true,
        ...(commandTimeout === undefined ? {} : { commandTimeout }),
      })
      redis.on('error', () => {}) // told by the commands
      return redis
    }
    this.#writer = connect(timeoutMs)
    this.#reader = connect()
  }

  /** Resolves once completions can be seen. */
  async subscribe(): Promise<void> {
    await Promise.all([this.#writer.connect(), this.#reader.connect()])
    const { completion } = this.#access
    if (completion.by === 'results') void this.#follow(completion, await this.#newestOf(completion.key))
    else void this.#watch(completion)
  }

  start(seq: number, canary: string): void {
    const { key, fields } = this.#access.stream
    const filled = Object.entries(fields).flatMap(([name, value]) => [name, value.replaceAll('{{canary}}', canary)])
    this.#writer.xadd(key, '*', ...filled).then(
      (id) => this.#added(seq, id),
      (error: Error) => this.#events.ended(seq, /timed out/i.test(error.message) ? 'unfinished' : 'failed'),
    )
  }

  #added(seq: number, id: string | null): void {
    if (id === null) {
      this.#events.ended(seq, 'failed')
      return
    }
    this.#events.runId(id, seq)
    this.#entries.started(id, seq)
  }

  /** What was there before we came is nobody's answer. */
  async #newestOf(key: string): Promise<string> {
    const [newest] = await this.#reader.xrevrange(key, '+', '-', 'COUNT', 1)
    return newest?.[0] ?? '0-0'
  }

  async #follow(completion: Extract<StreamedAccess['completion'], { by: 'results' }>, from: string): Promise<void> {
    let last = from
    while (!this.#closed) {
      try {
        const read = await this.#reader.xread(
          'COUNT',
          RESULTS_A_READ,
          'BLOCK',
          BLOCK_MS,
          'STREAMS',
          completion.key,
          last,
        )
        for (const [id, fields] of (read?.[0]?.[1] ?? []) as Entry[]) {
          last = id
          this.#told(() => this.#result(fields, completion))
        }
      } catch (error) {
        await this.#stumbled('results stream', error)
      }
    }
  }

  /** An error of ours is none of the stream's, and the entries behind it are read all the same. */
  #told(work: () => void): void {
    try {
      work()
    } catch (error) {
      this.#events.threw(error)
    }
  }

  #result(
    fields: readonly string[],
    { idField, statusField, failed }: Extract<StreamedAccess['completion'], { by: 'results' }>,
  ): void {
    this.#events.received()
    this.#events.seen(this.#scanner.body(Buffer.from(fields.join('\n'))), 'results stream')
    const at = (name: string) => {
      for (let i = 0; i < fields.length; i += 2) if (fields[i] === name) return fields[i + 1]
      return undefined
    }
    const id = at(idField)
    if (id === undefined) return
    const status = statusField === undefined ? undefined : at(statusField)
    this.#entries.ended(id, status !== undefined && failed.includes(status) ? 'failed' : 'ok')
  }

  async #watch({ group, everyMs }: Extract<StreamedAccess['completion'], { by: 'acknowledged' }>): Promise<void> {
    while (!this.#closed) {
      try {
        if (this.#entries.waiting.size > 0) await this.#look(group)
      } catch (error) {
        await this.#stumbled('pending list', error)
      }
      await pause(everyMs)
    }
  }

  /** Ids are added in order, so that the oldest that we wait for bounds what has to be looked at. */
  async #look(group: string): Promise<void> {
    const { key } = this.#access.stream
    const { waiting } = this.#entries
    const [oldest = '-'] = waiting.keys()
    // The position first: what was delivered until then is pending after it, or has been acknowledged.
    const delivered = (await streamGroup(this.#reader, key, group))?.delivered ?? '0-0'
    const pending = (await this.#reader.xpending(key, group, oldest, '+', PENDING_A_LOOK)) as Array<[string]>
    const held = new Set(pending.map(([id]) => id))
    const seenUntil = pending.length < PENDING_A_LOOK ? null : (pending.at(-1)?.[0] ?? null)
    for (const id of waiting.keys()) {
      if (isLater(id, delivered) || (seenUntil !== null && isLater(id, seenUntil))) break
      if (!held.has(id)) this.#told(() => this.#entries.ended(id, 'ok'))
    }
  }

  async #stumbled(where: string, error: unknown): Promise<void> {
    if (this.#closed) return
    this.#events.problem(
      `${this.#access.label}: the ${where} answered ${error instanceof Error ? error.message : error}`,
    )
    await pause(AGAIN_MS)
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#writer.disconnect()
    this.#reader.disconnect()
  }
}

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))

/** Whether stream id `a` comes after `b`: milliseconds and a sequence number, both whole. */
function isLater(a: string, b: string): boolean {
  const [aMs = 0, aSeq = 0] = a.split('-').map(Number)
  const [bMs = 0, bSeq = 0] = b.split('-').map(Number)
  return aMs > bMs || (aMs === bMs && aSeq > bSeq)
}
