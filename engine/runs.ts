// Reading what a tenant has: its definitions and its runs. Every read is of one tenant's keys, the caller's own; the
// replaceable finder is the place where a foreign id is refused. Refuses to tell a foreign id from an unknown one.

import { EngineError } from './errors.ts'
import { tenantKey, tenantKeys } from './queue/keys.ts'
import type { FunctionLibrary } from './queue/library.ts'
import type { Connection } from './redis.ts'
import type { TenantId } from './tenant.ts'
import { type Definition, definitionSchema, parseRecord, parseRunId, type Run } from './workflow.ts'

export type RunReader = (owner: TenantId, entryId: string) => Promise<Run | null>

/** Whether, and how, the caller reaches the run of this owner. */
export type RunFinder = (read: RunReader, caller: TenantId, owner: TenantId, entryId: string) => Promise<Run | null>

export const ownRunsOnly: RunFinder = async (read, caller, owner, entryId) =>
  owner === caller ? await read(owner, entryId) : null

/** What happened to a run, in order; read from its record, which is the only place where it is written. */
export function eventsOf(run: Run): { event: string; at: number }[] {
  const events = [{ event: 'queued', at: run.queuedAt }]
  if ('startedAt' in run && run.startedAt !== undefined) events.push({ event: 'started', at: run.startedAt })
  if ('endedAt' in run) events.push({ event: run.status, at: run.endedAt })
  return events
}

/**
 * Heads and inputs of one page: a run may have 2 MiB, and a thousand of them would be more than a process has. A direct
 * writer's input is as large as its tenant's limit allows, like any other: what is larger is a dead letter.
 */
const PAGE_BYTES_MAX = 4 << 20
/** Sizes that are asked for in one go: small questions, so that a page of large runs asks for few in vain. */
const SIZES_A_READ = 100

export class Runs {
  readonly #redis: Connection
  readonly #library: FunctionLibrary
  readonly #find: RunFinder

  constructor(redis: Connection, library: FunctionLibrary, find: RunFinder) {
    this.#redis = redis
    this.#library = library
    this.#find = find
  }

  async define(tenant: TenantId, name: string, definition: Definition): Promise<void> {
    const done = await this.#library.call('define', tenantKeys(tenant), [name, JSON.stringify(definition)])
    if (done === -1) throw new EngineError('workflows-full')
    // Removed while its token was still remembered: the token is no longer one.
    if (done !== 1) throw new EngineError('credentials-invalid')
  }

  async definition(tenant: TenantId, name: string): Promise<Definition> {
    const text = await this.#redis.hget(tenantKey.workflows(tenant), name)
    if (text === null) throw new EngineError('workflow-unknown')
    return definitionSchema.parse(JSON.parse(text))
  }

  async definitions(tenant: TenantId): Promise<({ name: string } & Definition)[]> {
    const texts = await this.#redis.hgetall(tenantKey.workflows(tenant))
    const names = Object.keys(texts).sort()
    return names.map((name) => ({ name, ...definitionSchema.parse(JSON.parse(texts[name] ?? '')) }))
  }

  async byId(caller: TenantId, id: string): Promise<Run> {
    const parsed = parseRunId(id)
    const run = parsed && (await this.#find(this.#read, caller, parsed.owner, parsed.entryId))
    if (!run) throw new EngineError('run-unknown')
    return run
  }

  readonly #read: RunReader = async (owner, entryId) => {
    const [head, input] = await Promise.all([
      this.#redis.hget(tenantKey.runs(owner), entryId),
      this.#redis.hget(tenantKey.inputs(owner), entryId),
    ])
    return head === null ? null : parseRecord(owner, entryId, head, input)
  }

  /**
   * Newest first, from where the page before ended; `last` is where this one does, null when nothing follows. A place is
   * the time at which the run came into the list, then its entry id: it holds when retention drops the run itself.
   */
  async list(tenant: TenantId, after: string | null, limit: number): Promise<{ runs: Run[]; last: string | null }> {
    const index = tenantKey.index(tenant)
    const place = after === null ? null : placeOf(after)
    // Runs of the same millisecond stand beside each other; as many more are asked for as may have been shown already.
    const shown = place === null ? 0 : await this.#redis.zcount(index, place.score, place.score)
    const from = place?.score ?? '+inf'
    const flat = await this.#redis.zrevrangebyscore(index, from, '-inf', 'WITHSCORES', 'LIMIT', 0, limit + shown)
    const scored = Array.from({ length: flat.length / 2 }, (_, at) => ({
      id: flat[2 * at] ?? '',
      score: flat[2 * at + 1] ?? '',
    }))
    const fresh = scored.filter(({ id, score }) => place === null || score !== place.score || id < place.id)
    const wanted = fresh.slice(0, limit)
    const { runs, taken } = await this.#page(
      tenant,
      wanted.map(({ id }) => id),
    )
    const last = wanted[taken - 1]
    const isEnd = last === undefined || (taken === wanted.length && wanted.length < limit)
    return { runs, last: isEnd ? null : `${last.score}-${last.id}` }
  }

  /** The first of these runs, as many as fit into a page, at least one; `taken` counts those that are gone by now too. */
  async #page(tenant: TenantId, ids: readonly string[]): Promise<{ runs: Run[]; taken: number }> {
    const runs: Run[] = []
    let [taken, left] = [0, PAGE_BYTES_MAX]
    while (taken < ids.length) {
      const next = ids.slice(taken, taken + SIZES_A_READ)
      const sizes = await this.#sizes(tenant, next)
      const over = sizes.findIndex((bytes) => {
        left -= bytes
        return left < 0
      })
      const count = over < 0 ? next.length : Math.max(over, taken === 0 ? 1 : 0)
      if (count > 0) runs.push(...(await this.#records(tenant, next.slice(0, count))))
      taken += count
      if (over >= 0) break
    }
    return { runs, taken }
  }

  /** Head and input together, bytes; 0 of a run that is gone. */
  async #sizes(tenant: TenantId, ids: readonly string[]): Promise<number[]> {
    const of = (key: string) => Promise.all(ids.map((id) => this.#redis.hstrlen(key, id)))
    const [heads, inputs] = await Promise.all([of(tenantKey.runs(tenant)), of(tenantKey.inputs(tenant))])
    return heads.map((bytes, at) => bytes + (inputs[at] ?? 0))
  }

  async #records(tenant: TenantId, ids: readonly string[]): Promise<Run[]> {
    const [heads, inputs] = await Promise.all([
      this.#redis.hmget(tenantKey.runs(tenant), ...ids),
      this.#redis.hmget(tenantKey.inputs(tenant), ...ids),
    ])
    return ids.flatMap((id, at) => {
      const head = heads[at]
      return head ? [parseRecord(tenant, id, head, inputs[at] ?? null)] : []
    })
  }
}

function placeOf(position: string): { score: string; id: string } {
  const cut = position.indexOf('-')
  return { score: position.slice(0, cut), id: position.slice(cut + 1) }
}
