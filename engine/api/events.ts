// What happens to a tenant's runs, as it happens (server-sent events). One reader a watched tenant follows its history;
// a wake only says "read on", so a lost wake costs a second and never an event. Refuses to keep events for a slow client:
// it is let go and comes back with Last-Event-ID.

import type { Logger } from 'pino'
import { tenantKey } from '../queue/keys.ts'
import type { Connection } from '../redis.ts'
import type { TenantId } from '../tenant.ts'

const PAGE = 500
const REREAD_EVERY_MS = 1000
const HEARTBEAT_EVERY_MS = 10_000
const UNSENT_BYTES_MAX = 4 << 20

/** The part of a response that events need; a Node response is one. */
export interface EventSink {
  write(text: string): boolean
  destroy(): void
  readonly writableLength: number
}

const framed = (id: string, data: string): string => `id: ${id}\nevent: run\ndata: ${data}\n\n`

/** Follows one tenant's history for all who watch it. */
class Watch {
  readonly sinks = new Set<EventSink>()
  readonly #tenant: TenantId
  readonly #redis: Connection
  #cursor: string
  #reading: Promise<void> | null = null
  #again = false

  constructor(tenant: TenantId, redis: Connection, cursor: string) {
    this.#tenant = tenant
    this.#redis = redis
    this.#cursor = cursor
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
      const page = await readPage(this.#redis, this.#tenant, this.#cursor, '+')
      if (page.last === null) continue
      this.#cursor = page.last
      this.#again ||= page.full
      for (const sink of this.sinks) send(sink, page.text)
    } while (this.#again)
  }

  /** Sends what the client missed; joins it only when it stands where this reader stands, so nothing is lost or doubled. */
  async join(sink: EventSink, lastEventId: string | null): Promise<void> {
    let at = lastEventId ?? this.#cursor
    while (at !== this.#cursor) {
      const page = await readPage(this.#redis, this.#tenant, at, this.#cursor)
      if (page.last === null) break
      send(sink, page.text)
      at = page.last
    }
    this.sinks.add(sink)
  }
}

async function readPage(redis: Connection, tenant: TenantId, after: string, to: string) {
  const entries = await redis.xrange(tenantKey.history(tenant), `(${after}`, to, 'COUNT', PAGE)
  const text = entries.map(([id, fields]) => framed(id, fields[1] ?? 'null')).join('')
  return { text, last: entries.at(-1)?.[0] ?? null, full: entries.length === PAGE }
}

function send(sink: EventSink, text: string): void {
  if (sink.writableLength > UNSENT_BYTES_MAX) sink.destroy()
  else sink.write(text)
}

export class Events {
  readonly #redis: Connection
  readonly #subscriber: Connection
  readonly #log: Logger
  /** By wake channel. A promise, so that two clients at once share one subscription. */
  readonly #watches = new Map<string, Promise<Watch>>()
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
      await (await this.#watches.get(channel))?.readOn()
    } catch (error) {
      this.#log.debug({ err: error }, 'history could not be read; the next wake tries again')
    }
  }

  async #beat(): Promise<void> {
    for (const watch of await Promise.all(this.#watches.values())) {
      for (const sink of watch.sinks) send(sink, ': heartbeat\n\n')
    }
  }

  /** Resolves once the subscription is live; the returned function leaves. */
  async follow(tenant: TenantId, sink: EventSink, lastEventId: string | null): Promise<() => void> {
    const channel = tenantKey.wake(tenant)
    const watching = this.#watches.get(channel) ?? this.#open(tenant, channel)
    const watch = await watching
    await watch.join(sink, lastEventId)
    return () => {
      watch.sinks.delete(sink)
      if (watch.sinks.size > 0 || this.#watches.get(channel) !== watching) return
      this.#watches.delete(channel)
      this.#subscriber.sunsubscribe(channel).catch(() => {})
    }
  }

  #open(tenant: TenantId, channel: string): Promise<Watch> {
    const opening = (async () => {
      await this.#subscriber.ssubscribe(channel)
      // Read after the subscription is live: what comes between is in the history and will be read with the next wake.
      const [newest] = await this.#redis.xrevrange(tenantKey.history(tenant), '+', '-', 'COUNT', 1)
      return new Watch(tenant, this.#redis, newest?.[0] ?? '0-0')
    })()
    this.#watches.set(channel, opening)
    opening.catch(() => this.#watches.delete(channel))
    return opening
  }

  /** A removed tenant's clients are let go. */
  async drop(tenant: TenantId): Promise<void> {
    const channel = tenantKey.wake(tenant)
    const watch = await this.#watches.get(channel)
    for (const sink of watch?.sinks ?? []) sink.destroy()
  }

  async stop(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer)
    const watches = await Promise.allSettled(this.#watches.values())
    for (const watch of watches) {
      if (watch.status === 'fulfilled') for (const sink of watch.value.sinks) sink.destroy()
    }
  }
}
