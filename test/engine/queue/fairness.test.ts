// Fair turns, seen by the witness: shares of slot time, while every tenant still has a fifth of its backlog or more.

import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { tenantKeys } from '../../../engine/queue/keys.ts'
import type { TenantId } from '../../../engine/tenant.ts'
import { type Limits, type Node, type Stage, startNode, startStage, until } from '../stage.ts'
import { jain, quantile, Witness } from '../witness.ts'

let stage: Stage
let node: Node
let witness: Witness
beforeEach(async () => {
  stage = await startStage()
  node = await startNode(stage)
  witness = new Witness()
})
afterEach(async () => {
  await node.stop()
  await stage.stop()
})

interface Plan {
  id: string
  runs: number
  ms: number
  limits?: Limits
}

/** Tenants with their backlog, before anybody works. */
async function backlog(plans: readonly Plan[]): Promise<TenantId[]> {
  const tenants: TenantId[] = []
  for (const { id, ms, limits } of plans) tenants.push(await node.create(id, limits, [{ type: 'sleep', ms }]))
  // Each tenant's first run rings its bell, in the order of names; the rest is poured in behind it.
  for (const tenant of tenants) await node.queue.admit(tenant, 'w', 'null')
  for (const [at, { runs }] of plans.entries()) {
    const tenant = tenants[at]
    if (tenant === undefined) continue
    const one: ['admit', string[], (string | number)[]] = [
      'admit',
      tenantKeys(tenant),
      [tenant, 'w', 'null', 60_000, '', ''],
    ]
    for (let left = runs - 1; left > 0; left -= 500) {
      await node.library.callAll(Array.from({ length: Math.min(left, 500) }, () => one))
    }
  }
  return tenants
}

/** Works until a tenant has started four fifths of its runs; when that was. */
async function workUntilCut(plans: readonly Plan[], slots: number): Promise<{ fromNs: bigint; cutNs: bigint }> {
  const left = new Map(plans.map(({ id, runs }) => [id, Math.floor(runs * 0.8)]))
  const cut = Promise.withResolvers<bigint>()
  const fromNs = process.hrtime.bigint()
  node.work({
    slots,
    witness: {
      started(claim) {
        const more = (left.get(claim.tenant) ?? 0) - 1
        left.set(claim.tenant, more)
        if (more < 0) cut.resolve(process.hrtime.bigint())
        witness.started(claim)
      },
      ended: (claim) => witness.ended(claim),
    },
  })
  return { fromNs, cutNs: await cut.promise }
}

const named = (count: number, plan: Omit<Plan, 'id'>): Plan[] =>
  Array.from({ length: count }, (_, at) => ({ id: `n-${at}`, ...plan }))

describe('slot time', () => {
  test('is shared alike by 1,000 tenants, and no two are further apart than a turn', { timeout: 60_000 }, async () => {
    const plans = named(1000, { runs: 20, ms: 20 })
    await backlog(plans)
    const { cutNs } = await workUntilCut(plans, 64)
    const shares = [...witness.slotMs(cutNs).values()]
    expect(shares.length).toBe(1000)
    const longestMs = Math.max(...witness.sightings.map((s) => Number((s.endedNs ?? cutNs) - s.startedNs) / 1e6))
    const apartMs = Math.max(...shares) - Math.min(...shares)
    console.log(
      `jain ${jain(shares).toFixed(5)}, furthest apart ${apartMs.toFixed(1)} ms, longest run ${longestMs.toFixed(1)} ms`,
    )
    // A turn is two runs of this length (TURN_MS), or one.
    expect(apartMs).toBeLessThanOrEqual(2 * (longestMs + longestMs))
    expect(jain(shares)).toBeGreaterThanOrEqual(0.999)
  })

  test('is shared alike when two of twenty have runs ten times longer', { timeout: 60_000 }, async () => {
    const plans = [
      ...named(18, { runs: 300, ms: 10 }),
      ...named(2, { runs: 60, ms: 100 }).map((p, i) => ({ ...p, id: `long-${i}` })),
    ]
    await backlog(plans)
    const { cutNs } = await workUntilCut(plans, 16)
    const shares = witness.slotMs(cutNs)
    const sum = [...shares.values()].reduce((a, b) => a + b, 0)
    const long = ((shares.get('long-0') ?? 0) + (shares.get('long-1') ?? 0)) / sum
    console.log(`two of twenty, ten times longer: ${(100 * long).toFixed(2)} % (fair: 10 %)`)
    expect(long).toBeLessThanOrEqual(0.12)
  })

  test('follows weights 1 : 2 : 4 within 5 %', { timeout: 60_000 }, async () => {
    const plans = [1, 2, 4].map((weight) => ({ id: `w-${weight}`, runs: 350 * weight, ms: 20, limits: { weight } }))
    await backlog(plans)
    const { cutNs } = await workUntilCut(plans, 8)
    const shares = witness.slotMs(cutNs)
    const per = [1, 2, 4].map((weight) => (shares.get(`w-${weight}`) ?? 0) / weight)
    const mean = per.reduce((a, b) => a + b, 0) / 3
    console.log(`weights 1 : 2 : 4, share over fair: ${per.map((share) => (share / mean).toFixed(4)).join(' ')}`)
    for (const share of per) expect(Math.abs(share / mean - 1)).toBeLessThan(0.05)
  })

  test('is used up while work waits, and a sparse tenant waits for one run, not for the backlog', {
    timeout: 60_000,
  }, async () => {
    const plans = named(1000, { runs: 4, ms: 50 })
    await backlog(plans)
    const sparse = await node.create('sparse', {}, [{ type: 'echo' }])
    const slots = 16
    node.work({ slots, witness })
    await until(() => witness.sightings.length > 1000 + slots, 10_000)
    const fromNs = process.hrtime.bigint()
    const waits: number[] = []
    // A run of next to nothing every 100 ms. Its share is 1.6 % of a slot: a sleep of 1 ms, which a busy machine makes one of 3,
    // would be more than that, and rightly have to wait.
    for (let i = 0; i < 40; i++) {
      const at = process.hrtime.bigint()
      await node.queue.admit(sparse, 'w', 'null')
      await until(() => witness.of(sparse).length === i + 1, 5000)
      waits.push(Number((witness.of(sparse)[i]?.startedNs ?? 0n) - at) / 1e6)
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
    const cutNs = process.hrtime.bigint()
    const busy = witness.busy(slots, fromNs, cutNs)
    console.log(
      `sparse: wait p50 ${quantile(waits, 0.5).toFixed(1)} ms, p99 ${quantile(waits, 0.99).toFixed(1)} ms of ${waits.length}; slots busy ${(100 * busy).toFixed(1)} %`,
    )
    expect(quantile(waits, 0.99)).toBeLessThan(3 * 50)
    expect(busy).toBeGreaterThanOrEqual(0.95)
  })
})
