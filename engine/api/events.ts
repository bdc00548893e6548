// What happens to a tenant's runs, as it happens (server-sent events). One reader a watched tenant follows its history;
// a wake only says "read on", so a lost wake costs a second and never an event. Refuses to keep events for a slow client:
// it is let go and comes back with Last-Event-ID.

import type { Logger } from 'pino'
import { EngineError } from '../errors.ts'
import { tenantKey } from '../queue/keys.ts'
import type { Connection } from '../redis.ts'
import type { TenantId } from '../tenant.ts'
import type { Caller } from '../tenants.ts'

const PAGE = 100
const WATCHERS_MAX = 32
const WATCHERS_RETRY_MS = 1000
const REREAD_EVERY_MS = 1000
const HEARTBEAT_EVERY_MS = 10_000
const UNSENT_BYTES_MAX = 4 << 20

/** The part of a response that events need; a Node response is one. */
export interface EventSink {
  write(text: string): boolean
  destroy(): void
  once(event: 'drain' | 'close', listener: () => void): unknown
  readonly writableLength: number
  readonly destroyed: boolean
}

/** Follows one tenant's history for all who watch it. */
class Watch {
  readonly sinks = new Set<EventSink>()
  readonly #caller: Caller
  readonly #redis: Connection
  #cursor: string
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
      for (const sink of this.sinks) send(sink, page.text)
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
      if (!sink.write(page.text)) await drained(sink)
    }
    if (!sink.destroyed) this.sinks.add(sink)
  }

  /**
   * The question whose history it is comes after the read, on the same connection: a tenant may have been removed and
   * created again, and a token that is still the same was so all the time.
   */
  async #page(after: string, to: string) {
    const { id: tenant, life, cursors } = this.#caller
    const [entries, owner] = await Promise.all([
      this.#redis.xrange(tenantKey.history(tenant), `(${after}`, to, 'COUNT', PAGE),
      this.#redis.hget(tenantKey.ctl(tenant), 'token'),
    ])
    if (owner !== life) {
      this.end()
      return { text: '', last: null, full: false }
    }
    const text = entries
      .map(([id, fields]) => `id: ${cursors.bind('events', id)}\nevent: run\ndata: ${fields[1] ?? 'null'}\n\n`)
      .join('')
    return { text, last: entries.at(-1)?.[0] ?? null, full: entries.length === PAGE }
  }
}

const drained = (sink: EventSink): Promise<void> =>
  new Promise((resolve) => {
    sink.once('drain', resolve)
    sink.once('close', resolve)
  })

function send(sink: EventSink, text: string): void {
  if (sink.writableLength > UNSENT_BYTES_MAX) sink.destroy()
  else sink.write(text)
}

export class Events {
  readonly #redis: Connection
  readonly #subscriber: Connection
  readonly #log: Logger
  /** By wake channel. A promise, so that two clients at once share one subscription. */
  readonly #watches = new Map<string, { life: string; opening: Promise<Watch> }>()
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
      for (const sink of watch.sinks) send(sink, ': heartbeat\n\n')
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
    const opening = this.#open(caller, channel)
    const watch = await opening
    await watch.join(sink, lastEventId)
    return () => {
      watch.sinks.delete(sink)
      if (watch.sinks.size > 0 || this.#watches.get(channel)?.opening !== opening) return
      this.#watches.delete(channel)
      this.#subscriber.sunsubscribe(channel).catch(() => {})
    }
  }

  #open(caller: Caller, channel: string): Promise<Watch> {
    const found = this.#watches.get(channel)
    if (found?.life === caller.life) return found.opening
    // Whoever watched an earlier tenant of the same name watches nothing any more.
    void found?.opening.then((watch) => watch.end())
    const opening = (async () => {
      await this.#subscriber.ssubscribe(channel)
      // Read after the subscription is live: what comes between is in the history and will be read with the next wake.
      const [newest] = await this.#redis.xrevrange(tenantKey.history(caller.id), '+', '-', 'COUNT', 1)
      return new Watch(caller, this.#redis, newest?.[0] ?? '0-0')
    })()
    this.#watches.set(channel, { life: caller.life, opening })
    opening.catch(() => {
      if (this.#watches.get(channel)?.opening === opening) this.#watches.delete(channel)
    })
    return opening
  }

  /** A removed tenant's clients are let go. */
  async drop(tenant: TenantId): Promise<void> {
    const channel = tenantKey.wake(tenant)
    const watch = await this.#watches.get(channel)?.opening
    watch?.end()
  }

  async stop(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer)
    for (const watch of await this.#opened()) watch.end()
  }
}
