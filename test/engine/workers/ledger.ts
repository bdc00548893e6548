// What a random schedule asked of the engine, written down beside it: every start, when each limit was in force, when each
// tenant was suspended or gone. The judge compares it with the witness. Refuses to ask the engine what it counted.

import { tenantKey, tenantKeys } from '../../../engine/queue/keys.ts'
import type { TenantId } from '../../../engine/tenant.ts'
import type { Limits, Node } from '../stage.ts'

/** Between two readings of the monotonic clock, nanoseconds. */
export interface Span {
  fromNs: bigint
  untilNs: bigint
}

export interface Start {
  how: 'admitted' | 'written' | 'malformed'
  /** The first may be claimed from `fromNs` on; the id was known at `untilNs`. */
  span: Span
}

/** A tenant from its creation to its removal. */
export interface Life {
  tenant: TenantId
  starts: Map<string, Start>
  /** Entries whose cancellation was answered with yes. */
  cancelled: Set<string>
  /** Each was in force from somewhere in its span on, until somewhere in the next one's. */
  caps: { cap: number; span: Span }[]
  rates: { rate: number; span: Span }[]
  /** Suspended for sure from `fromNs` to `untilNs`; open when the latter is null. */
  suspended: { fromNs: bigint; untilNs: bigint | null }[]
  /** When its removal was answered; null while it lives. */
  gone: Span | null
}

const now = () => process.hrtime.bigint()

async function timed<T>(work: () => Promise<T>): Promise<{ value: T; span: Span }> {
  const fromNs = now()
  const value = await work()
  return { value, span: { fromNs, untilNs: now() } }
}

/** Runs longer than any maximum that a schedule sets; that fail now and then; and short ones of different length. */
const WORKFLOWS: Record<string, object> = {
  quick: { steps: [{ type: 'echo' }] },
  short: { steps: [{ type: 'sleep', ms: 4 }] },
  middling: { steps: [{ type: 'sleep', ms: 17 }] },
  flaky: { steps: [{ type: 'model', ms: 3, failureRate: 0.5 }], retry: { attempts: 3, backoffMs: 15 } },
  late: { steps: [{ type: 'sleep', ms: 60_000 }] },
}
export const WORKFLOW_NAMES = Object.keys(WORKFLOWS)

const MALFORMED: string[][] = [
  ['workflow', 'nowhere', 'input', '1'],
  ['input', '1'],
  ['workflow', 'short', 'input', '{"a":'],
  ['workflow', 'short', 'input', '1', 'tenant', 'somebody-else'],
  ['workflow', 'short', 'input', JSON.stringify('x'.repeat(70_000))],
]

export class Ledger {
  readonly lives: Life[] = []
  readonly #current = new Map<TenantId, Life>()
  /** Asks by a connection that nobody cuts. */
  readonly #node: Node

  constructor(node: Node) {
    this.#node = node
  }

  async create(
    id: string,
    limits: Required<Pick<Limits, 'concurrentRuns' | 'startsPerMinute'>> & Limits,
  ): Promise<void> {
    const { value: tenant, span } = await timed(() => this.#node.create(id, limits))
    for (const [name, definition] of Object.entries(WORKFLOWS)) {
      await this.#node.library.call('define', tenantKeys(tenant), [name, JSON.stringify(definition)])
    }
    const life: Life = {
      tenant,
      starts: new Map(),
      cancelled: new Set(),
      caps: [{ cap: limits.concurrentRuns, span }],
      rates: [{ rate: limits.startsPerMinute, span }],
      suspended: [],
      gone: null,
    }
    this.lives.push(life)
    this.#current.set(tenant, life)
  }

  living(): Life[] {
    return [...this.#current.values()]
  }

  /** The input names the tenant, so that a run in the wrong hands gives itself away. */
  async start({ tenant, starts }: Life, workflow: string): Promise<void> {
    const { value, span } = await timed(() => this.#node.queue.admit(tenant, workflow, JSON.stringify({ of: tenant })))
    if (value.state === 'admitted') starts.set(value.entryId, { how: 'admitted', span })
  }

  async write({ tenant, starts }: Life, workflow: string): Promise<void> {
    const fields = ['workflow', workflow, 'input', JSON.stringify({ of: tenant })]
    const { value, span } = await timed(() => this.#node.redis.xadd(tenantKey.events(tenant), '*', ...fields))
    if (value !== null) starts.set(value, { how: 'written', span })
  }

  async writeMalformed({ tenant, starts }: Life, kind: number): Promise<void> {
    const fields = MALFORMED[kind % MALFORMED.length] ?? []
    const { value, span } = await timed(() => this.#node.redis.xadd(tenantKey.events(tenant), '*', ...fields))
    if (value !== null) starts.set(value, { how: 'malformed', span })
  }

  async cancel({ tenant, starts, cancelled }: Life, pick: number): Promise<void> {
    // One of the last few: older ones have ended.
    const recent = [...starts.keys()].slice(-8)
    const entryId = recent[pick % Math.max(1, recent.length)]
    if (entryId === undefined) return
    const { state } = await this.#node.queue.cancel(tenant, entryId)
    if (state === 'cancelled') cancelled.add(entryId)
  }

  async limit(
    life: Life,
    limits: Pick<Limits, 'concurrentRuns' | 'startsPerMinute' | 'maxRunMs' | 'maxQueued'>,
  ): Promise<void> {
    const { span } = await timed(() => this.#node.relimit(life.tenant, limits))
    if (limits.concurrentRuns !== undefined) life.caps.push({ cap: limits.concurrentRuns, span })
    if (limits.startsPerMinute !== undefined) life.rates.push({ rate: limits.startsPerMinute, span })
  }

  async suspend({ tenant, suspended }: Life): Promise<void> {
    if (suspended.at(-1)?.untilNs === null) return
    const { span } = await timed(() => this.#node.queue.suspend(tenant))
    suspended.push({ fromNs: span.untilNs, untilNs: null })
  }

  async resume({ tenant, suspended }: Life): Promise<void> {
    const last = suspended.at(-1)
    if (last?.untilNs !== null || last === undefined) return
    last.untilNs = now()
    await this.#node.queue.resume(tenant)
  }

  async drop(life: Life): Promise<void> {
    const { span } = await timed(() => this.#node.queue.drop(life.tenant))
    life.gone = span
    this.#current.delete(life.tenant)
  }
}
