// The scheduler driven by hand: rounds asked one after the other, turns ended with a charge of the test's choice. Real
// Redis, no worker, no clock: what is picked follows from the charges alone.

import { schedulerKeys } from '../../../engine/queue/keys.ts'
import { Rounds, type TurnEnd } from '../../../engine/queue/rounds.ts'
import { parseTenantId, type TenantId } from '../../../engine/tenant.ts'
import type { Node } from '../stage.ts'

export class Turns {
  readonly rounds: Rounds
  readonly keys: ReturnType<typeof schedulerKeys>
  readonly #node: Node

  /** The namespace keeps the scheduler keys of two tests apart. */
  constructor(node: Node, namespace: string, leaseMs = 5000) {
    this.#node = node
    this.keys = schedulerKeys(namespace)
    this.rounds = new Rounds(node.library, this.keys, leaseMs)
  }

  async register(...ids: string[]): Promise<TenantId[]> {
    const tenants = ids.map((id) => parseTenantId(id))
    for (const tenant of tenants) await this.#node.redis.zadd(this.keys.tenants, 0, tenant)
    return tenants
  }

  arrive(...tenants: TenantId[]): void {
    for (const tenant of tenants) this.rounds.note(tenant)
  }

  async pick(turns: number): Promise<TenantId[]> {
    const { picked } = await this.rounds.round(turns)
    return picked.map(({ tenant }) => tenant)
  }

  /** One turn after the other, each ended as `end` says; whose they were, in order. */
  async take(count: number, end: (tenant: TenantId) => [end: TurnEnd, charge: number]): Promise<TenantId[]> {
    const taken: TenantId[] = []
    for (let i = 0; i < count; i++) {
      for (const tenant of await this.pick(1)) {
        taken.push(tenant)
        this.rounds.end(tenant, ...end(tenant))
      }
    }
    return taken
  }

  async score(name: 'ready' | 'parked' | 'lease' | 'idle' | 'inflight', tenant: TenantId): Promise<number | null> {
    const score = await this.#node.redis.zscore(this.keys[name], tenant)
    return score === null ? null : Number(score)
  }

  async virtualTime(): Promise<number> {
    return Number(await this.#node.redis.hget(this.keys.vt, 'vt'))
  }

  /** The tag of a tenant, wherever it is; null when none is remembered. */
  async tag(tenant: TenantId): Promise<number | null> {
    const inTurn = await this.#node.redis.hget(this.keys.lt, tenant)
    return (await this.score('ready', tenant)) ?? (inTurn === null ? await this.score('idle', tenant) : Number(inTurn))
  }
}

export const countOf = (taken: readonly TenantId[], tenant: TenantId): number =>
  taken.filter((each) => each === tenant).length
