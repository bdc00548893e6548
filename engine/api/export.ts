// Everything that is kept of one tenant, a line each. The cut is the time in the first line: what was there then is in it
// once, in the state of then or later, unless retention drops it meanwhile. Refuses to end well when it is not whole: the
// last line is written only when every part was read from one and the same tenant.
//
// Work moves one way only: waiting entry → dead letter → run (a redriven letter is a new run). Reading in that order, what
// moves while it is read is met further on and never missed; an entry that was met while it waited is left out as a run.

import { z } from 'zod'
import { nowMs } from '../deletion.ts'
import { EngineError } from '../errors.ts'
import { tenantKey, tenantKeys } from '../queue/keys.ts'
import type { FunctionLibrary } from '../queue/library.ts'
import type { Queue } from '../queue/queue.ts'
import { type Connection, pairsIn } from '../redis.ts'
import type { SloReport } from '../telemetry/slo.ts'
import type { TenantId } from '../tenant.ts'
import type { Caller } from '../tenants.ts'
import { parseRecord, runIdOf } from '../workflow.ts'
import { letterView } from './dead-letters-routes.ts'

/** Few: inputs and outputs of a page are in memory together, up to 2 MiB a run, up to 1 MiB an event. */
const RUNS_A_PAGE = 4
const EVENTS_A_PAGE = 8
/** A direct writer's entry that nobody claimed yet is of any size. */
const WAITING_A_PAGE = 8
/** The queue cuts a page of them by its bytes. */
const LETTERS_A_PAGE = 100
const RETRY_MS = 1000

const waitingReply = z.tuple([z.string()]).rest(z.tuple([z.string(), z.string(), z.string(), z.array(z.string())]))

/** Who asks: each has a seat for each tenant, so that what the one leaves unread does not keep the other out. */
export type ExportReader = 'tenant' | 'admin'

type Kind = 'tenant' | 'workflow' | 'waiting' | 'dead-letter' | 'run' | 'event' | 'change' | 'access' | 'slo' | 'end'
type Line = { kind: Kind } & Record<string, unknown>

/** By time, then by sequence: both may have up to 20 digits. */
function isBefore(a: string, b: string): boolean {
  const [aTime = '', aSeq = ''] = a.split('-')
  const [bTime = '', bSeq = ''] = b.split('-')
  const key = (time: string, sequence: string) => time.padStart(20, '0') + sequence.padStart(20, '0')
  return key(aTime, aSeq) < key(bTime, bSeq)
}

/** Entries that were met while they waited: from the first one of each page on, none had been claimed. */
class Met {
  readonly #spans: [from: string, to: string][] = []

  add(from: string, to: string): void {
    this.#spans.push([from, to])
  }

  has(id: string): boolean {
    return this.#spans.some(([from, to]) => !isBefore(id, from) && !isBefore(to, id))
  }
}

export interface ExporterParts {
  redis: Connection
  library: FunctionLibrary
  queue: Queue
  reportOf: (caller: Caller) => Promise<SloReport>
}

export class Exporter {
  readonly #parts: ExporterParts
  readonly #seats = new Set<string>()

  constructor(parts: ExporterParts) {
    this.#parts = parts
  }

  /**
   * Taken when the route is entered, before anything is awaited; the returned function gives it back.
   * @throws EngineError exports-full
   */
  takeSeat(reader: ExportReader, tenant: TenantId): () => void {
    const seat = `${reader} ${tenant}`
    if (this.#seats.has(seat)) throw new EngineError('exports-full', undefined, { retryAfterMs: RETRY_MS })
    this.#seats.add(seat)
    return () => this.#seats.delete(seat)
  }

  async *lines(caller: Caller): AsyncGenerator<string> {
    const counts: Partial<Record<Kind, number>> = {}
    const cutMs = await nowMs(this.#parts.redis)
    for await (const line of this.#all(caller, cutMs, new Met())) {
      counts[line.kind] = (counts[line.kind] ?? 0) + 1
      yield `${JSON.stringify(line)}\n`
    }
    const lines = Object.values(counts).reduce((sum, n) => sum + n, 0)
    const end = { kind: 'end', cutMs, endMs: await nowMs(this.#parts.redis), lines, counts }
    yield `${JSON.stringify(end)}\n`
  }

  /** Tokens are never used again: who is still the same afterwards was it while the page was read. */
  async #same<T>(caller: Caller, page: T): Promise<T> {
    if ((await this.#parts.redis.hget(tenantKey.ctl(caller.id), 'token')) === caller.life) return page
    throw new Error('the tenant was removed while it was exported')
  }

  async *#all(caller: Caller, cutMs: number, met: Met): AsyncGenerator<Line> {
    const { redis, reportOf } = this.#parts
    const { id, state, createdAtMs, limits, objectives } = caller
    yield { kind: 'tenant', id, state, createdAtMs, cutMs, limits, objectives }
    const workflows = await this.#same(caller, await redis.hgetall(tenantKey.workflows(id)))
    for (const name of Object.keys(workflows).sort()) {
      yield { kind: 'workflow', name, definition: JSON.parse(workflows[name] ?? 'null') }
    }
    yield* this.#waiting(caller, met)
    yield* this.#deadLetters(caller)
    yield* this.#runs(caller, met)
    for await (const [eventId, [, text = 'null']] of this.#stream(caller, tenantKey.history(id))) {
      yield { kind: 'event', id: caller.cursors.bind('events', eventId), event: JSON.parse(text) }
    }
    for await (const [at, flat] of this.#stream(caller, tenantKey.changes(id)))
      yield { kind: 'change', ...said(at, flat) }
    for await (const [at, flat] of this.#stream(caller, tenantKey.accesses(id)))
      yield { kind: 'access', ...said(at, flat) }
    yield { kind: 'slo', ...(await this.#same(caller, await reportOf(caller))) }
  }

  async *#waiting(caller: Caller, met: Met): AsyncGenerator<Line> {
    const { redis, library } = this.#parts
    const { id } = caller
    const [newest] = await redis.xrevrange(tenantKey.events(id), '+', '-', 'COUNT', 1)
    if (!newest) return
    let after = '0-0'
    for (;;) {
      const args = [after, newest[0], WAITING_A_PAGE]
      const reply = await this.#same(caller, await library.call('waiting', tenantKeys(id), args))
      const [last, ...entries] = waitingReply.parse(reply)
      if (last === '') return
      if (entries[0]) met.add(entries[0][0], last)
      for (const [entryId, workflow, input, others] of entries) {
        yield { kind: 'waiting', run: runIdOf(id, entryId), workflow, input, fields: pairsIn(others) }
      }
      if (last === newest[0]) return
      after = last
    }
  }

  async *#deadLetters(caller: Caller): AsyncGenerator<Line> {
    let after: string | null = null
    for (;;) {
      const page = await this.#parts.queue.deadLetters(caller.id, after, LETTERS_A_PAGE)
      for (const letter of await this.#same(caller, page))
        yield { kind: 'dead-letter', ...letterView(caller.id, letter) }
      after = page.at(-1)?.id ?? null
      if (after === null) return
    }
  }

  /** In the order in which they became runs, up to now: later ones are not of this cut. */
  async *#runs(caller: Caller, met: Met): AsyncGenerator<Line> {
    const { redis } = this.#parts
    const { id } = caller
    const untilMs = await nowMs(redis)
    let [from, seen] = ['-inf', new Set<string>()]
    for (;;) {
      // By score and not by rank: retention takes away at the front while this reads. `seen` are those of the last score.
      const count = RUNS_A_PAGE + seen.size
      const flat = await redis.zrangebyscore(tenantKey.index(id), from, untilMs, 'WITHSCORES', 'LIMIT', 0, count)
      const scored = Array.from(
        { length: flat.length / 2 },
        (_, at) => [flat[2 * at] ?? '', flat[2 * at + 1] ?? ''] as const,
      )
      const fresh = scored.filter(([entryId]) => !seen.has(entryId))
      const last = fresh.at(-1)
      if (!last) return
      const ids = fresh.map(([entryId]) => entryId)
      const [heads, inputs] = await Promise.all([
        redis.hmget(tenantKey.runs(id), ...ids),
        redis.hmget(tenantKey.inputs(id), ...ids),
      ])
      await this.#same(caller, null)
      for (const [at, entryId] of ids.entries()) {
        const head = heads[at]
        if (!head) continue
        const run = parseRecord(id, entryId, head, inputs[at] ?? null)
        if (run.source !== 'stream' || !met.has(entryId)) yield { kind: 'run', ...run }
      }
      seen = new Set(scored.filter(([, score]) => score === last[1]).map(([entryId]) => entryId))
      from = last[1]
    }
  }

  async *#stream(caller: Caller, key: string): AsyncGenerator<[id: string, fields: string[]]> {
    const { redis } = this.#parts
    const [newest] = await redis.xrevrange(key, '+', '-', 'COUNT', 1)
    let after = newest ? '(0-0' : null
    while (after !== null && newest) {
      const page = await this.#same(caller, await redis.xrange(key, after, newest[0], 'COUNT', EVENTS_A_PAGE))
      yield* page
      const last = page.at(-1)
      after = last ? `(${last[0]}` : null
    }
  }
}

function said(id: string, flat: readonly string[]): Record<string, unknown> {
  return { atMs: Number(id.split('-')[0]), ...Object.fromEntries(pairsIn(flat)) }
}
