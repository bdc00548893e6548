// What happens to a tenant's runs, as it happens (server-sent events). One reader a watched tenant follows its history;
// a wake only says "read on", so a lost wake costs a second and never an event. Refuses to keep events for a slow client:
// it is let go and comes back with Last-Event-ID.

import type { Logger } from 'pino'
import { EngineError } from '../errors.ts'
import { tenantKey } from '../queue/keys.ts'
import type { Connection } from '../redis.ts'
import type { TenantId } from '../tenant.ts'
import type { Caller } from '../tenants.ts'

/** An event may have 1 MiB, the output of its run: what is read at a time is at most these. */
const EVENTS_A_READ = 8
/** Of what is sent at a time; one event alone may be larger. */
const PAGE_BYTES_MAX = 1 << 20
const WATCHERS_MAX = 32
const WATCHERS_RETRY_MS = 1000
const REREAD_EVERY_MS = 1000
const HEARTBEAT_EVERY_MS = 10_000
const UNSENT_BYTES_MAX = 4 << 20
const HEARTBEAT = Buffer.from(': heartbeat\n\n')

/** The part of a response that events need; a Node response is one. */
export interface EventSink {
  write(text: string | Uint8Array): boolean
  destroy(): void
  once(event: 'drain' | 'close', listener: () => void): unknown
  off(event: 'drain' | 'close', listener: () => void): unknown
  readonly writableLength: number
  readonly destroyed: boolean
}

/** Follows one tenant's history for all who watch it. */
class Watch {
  readonly sinks = new Set<EventSink>()
  readonly #caller: Caller
  readonly #redis: Connection
  #cursor: string
  /** So that what does not fit into a page is not read again and again. */
  #count = EVENTS_A_READ
  #reading: Promise<void> | null = null
  #again = false

  constructor(caller: Caller, redis: Connection, cursor: string) {
    this.#caller = caller
    this.#redis = redis
    this.#cursor = cursor
  }

  end(): void {
    for (const sink of this.sinks) sink.destroy()
  }

  /** Wakes that come during a read are one more read together. */
  readOn(): Promise<void> {
    if (this.#reading) {
      this.#again = true
      return this.#reading
    }
    this.#reading = this.#read().finally(() => {
      this.#reading = null
    })
    return this.#reading
  }

  async #read(): Promise<void> {
    do {
      this.#again = false
      const page = await this.#page(this.#cursor, '+')
      if (page.last === null) continue
      this.#cursor = page.last
      this.#again ||= page.full
      for (const sink of this.sinks) send(sink, page.bytes)
    } while (this.#again)
  }

  /** Sends what the client missed; joins it only when it stands where this reader stands, so nothing is lost or doubled. */
  async join(sink: EventSink, lastEventId: string | null): Promise<void> {
    let at = lastEventId ?? this.#cursor
    while (at !== this.#cursor && !sink.destroyed) {
      const page = await this.#page(at, this.#cursor)
      if (page.last === null) break
      at = page.last
      // A client that catches up is given pages as fast as it takes them.
      if (!sink.write(page.bytes)) await drained(sink)
    }
    if (!sink.destroyed) this.sinks.add(sink)
  }

  /**
   * The question whose history it is comes after the read, on the same connection: a tenant may have been removed and
   * created again, and a token that is still the same was so all the time.
   */
  async #page(after: string, to: string) {
    const { id: tenant, life, cursors } = this.#caller
    const count = this.#count
    const [entries, owner] = await Promise.all([
      this.#redis.xrange(tenantKey.history(tenant), `(${after}`, to, 'COUNT', count),
      this.#redis.hget(tenantKey.ctl(tenant), 'token'),
    ])
    if (owner !== life) {
      this.end()
      return { bytes: Buffer.alloc(0), last: null, full: false }
    }
    const texts = entries.map(
      ([id, fields]) => `id: ${cursors.bind('events', id)}\nevent: run\ndata: ${fields[1] ?? 'null'}\n\n`,
    )
    let left = PAGE_BYTES_MAX
    const over = texts.findIndex((text, at) => {
      left -= Buffer.byteLength(text)
      return left < 0 && at > 0
    })
    const kept = over < 0 ? texts.length : over
    this.#count = over < 0 ? Math.min(2 * count, EVENTS_A_READ) : kept
    // Bytes, once: all who watch are sent the same ones, and a text would be copied for each.
    const bytes = Buffer.from(texts.slice(0, kept).join(''))
    return { bytes, last: entries[kept - 1]?.[0] ?? null, full: over >= 0 || entries.length === count }
  }
}

const drained = (sink: EventSink): Promise<void> =>
  new Promise((resolve) => {
    const done = () => {
      sink.off('drain', done)
      sink.off('close', done)
      resolve()
    }
    sink.once('drain', done)
    sink.once('close', done)
  })

function send(sink: EventSink, bytes: Uint8Array): void {
  if (sink.writableLength + bytes.length > UNSENT_BYTES_MAX) sink.destroy()
  else sink.write(bytes)
}

/** What the clients of one tenant share. `opening` is a promise, so that two at once share one subscription. */
interface Shared {
  life: string
  opening: Promise<Watch>
  members: number
}

export class Events {
  readonly #redis: Connection
  readonly #subscriber: Connection
  readonly #log: Logger
  /** By wake channel. */
  readonly #watches = new Map<string, Shared>()
  readonly #seats = new Map<TenantId, number>()
  readonly #timers: NodeJS.Timeout[] = []

  constructor(redis: Connection, subscriber: Connection, log: Logger) {
    this.#redis = redis
    this.#subscriber = subscriber
    this.#log = log
    subscriber.on('smessage', (channel: string) => void this.#readOn(channel))
    this.#timers.push(
      setInterval(() => {
        for (const channel of this.#watches.keys()) void this.#readOn(channel)
      }, REREAD_EVERY_MS),
      setInterval(() => void this.#beat(), HEARTBEAT_EVERY_MS),
    )
  }

  async #readOn(channel: string): Promise<void> {
    try {
      await (await this.#watches.get(channel)?.opening)?.readOn()
    } catch (error) {
      this.#log.debug({ err: error }, 'history could not be read; the next wake tries again')
    }
  }

  async #beat(): Promise<void> {
    for (const watch of await this.#opened()) {
      for (const sink of watch.sinks) send(sink, HEARTBEAT)
    }
  }

  async #opened(): Promise<Watch[]> {
    const all = await Promise.allSettled([...this.#watches.values()].map(({ opening }) => opening))
    return all.flatMap((watch) => (watch.status === 'fulfilled' ? [watch.value] : []))
  }

  /**
   * For as long as a client watches; the returned function gives it back.
   * @throws EngineError watchers-full
   */
  takeSeat(tenant: TenantId): () => void {
    const taken = this.#seats.get(tenant) ?? 0
    if (taken >= WATCHERS_MAX) throw new EngineError('watchers-full', undefined, { retryAfterMs: WATCHERS_RETRY_MS })
    this.#seats.set(tenant, taken + 1)
    return () => {
      const left = (this.#seats.get(tenant) ?? 1) - 1
      if (left > 0) this.#seats.set(tenant, left)
      else this.#seats.delete(tenant)
    }
  }

  /** Resolves once the subscription is live; the returned function leaves. */
  async follow(caller: Caller, sink: EventSink, lastEventId: string | null): Promise<() => void> {
    const channel = tenantKey.wake(caller.id)
    const shared = this.#open(caller, channel)
    // Counted from here on, not from when it has caught up: until then somebody else's leaving must not end the watch.
    shared.members++
    const leave = (watch?: Watch) => {
      watch?.sinks.delete(sink)
      shared.members--
      if (shared.members > 0 || this.#watches.get(channel) !== shared) return
      this.#watches.delete(channel)
      this.#subscriber.sunsubscribe(channel).catch(() => {})
    }
    try {
      const watch = await shared.opening
      await watch.join(sink, lastEventId)
      return () => leave(watch)
    } catch (error) {
      leave()
      throw error
    }
  }

  #open(caller: Caller, channel: string): Shared {
    const found = this.#watches.get(channel)
    if (found?.life === caller.life) return found
    // Whoever watched an earlier tenant of the same name watches nothing any more.
    if (found) void this.#end(found.opening)
    const opening = (async () => {
      await this.#subscriber.ssubscribe(channel)
      // Read after the subscription is live: what comes between is in the history and will be read with the next wake.
      const [newest] = await this.#redis.xrevrange(tenantKey.history(caller.id), '+', '-', 'COUNT', 1)
      return new Watch(caller, this.#redis, newest?.[0] ?? '0-0')
    })()
    const shared = { life: caller.life, opening, members: 0 }
    this.#watches.set(channel, shared)
    opening.catch(() => {
      if (this.#watches.get(channel) === shared) this.#watches.delete(channel)
    })
    return shared
  }

  /** A removed tenant's clients are let go. Never rejects. */
  async drop(tenant: TenantId): Promise<void> {
    const opening = this.#watches.get(tenantKey.wake(tenant))?.opening
    if (opening) await this.#end(opening)
  }

  /** A watch that could not be opened has nobody: whoever waits for it hears of it by itself. */
  async #end(opening: Promise<Watch>): Promise<void> {
    const [watch] = await Promise.allSettled([opening])
    if (watch.status === 'fulfilled') watch.value.end()
  }

  async stop(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer)
    for (const watch of await this.#opened()) watch.end()
  }
}
