// The engine's queue beside BullMQ, on the same Redis, in alternating rounds: runs a second of one worker process, what
// they cost Redis, what a hog does to its neighbours. Empty jobs, the same concurrency, everything filled before the
// clock starts. BullMQ has no turns between tenants: all share one queue, as its users have it.

import { Queue as BullQueue, Worker as BullWorker } from 'bullmq'
import { tenantKeys } from '../../engine/queue/keys.ts'
import type { TenantId } from '../../engine/tenant.ts'
import { type Node, type Stage, startNode, startStage, until } from '../engine/stage.ts'
import { type Bench, type Figure, figure } from './figures.ts'
import { costOf, type RedisCost } from './redis-cost.ts'

const ROUNDS = Number(process.env.ROUNDS ?? 5)
const RUNS = 20_000
const SLOTS = 100
const FILL = 500

type Round = RedisCost & { ms: number }

let serial = 0

async function fillTenants(node: Node, tenants: readonly TenantId[], runs: number): Promise<void> {
  for (let at = 0; at < runs; at += FILL) {
    const calls = Array.from({ length: Math.min(FILL, runs - at) }, (_, i) => {
      const tenant = tenants[(at + i) % tenants.length] as TenantId
      return ['admit', tenantKeys(tenant), [tenant, 'w', '{"n":1}', 60_000, '', '']] as ['admit', string[], string[]]
    })
    await node.library.callAll(calls)
  }
}

/** Drains `runs` empty runs of so many tenants. */
async function ours(stage: Stage, tenantCount: number, runs: number, idle = 0): Promise<{ fill: Round; drain: Round }> {
  const namespace = `bench-${++serial}`
  const node = await startNode(stage, { namespace })
  const tenants: TenantId[] = []
  for (let i = 0; i < tenantCount; i++) tenants.push(await node.create(`b-${serial}-${i}`))
  if (idle > 0) await node.redis.zadd(`sched:{${namespace}}:tenants`, ...idleTenants(idle))
  const fill = await costOf(stage.redis, () => fillTenants(node, tenants, runs))
  for (const tenant of tenants) node.queue.touch(tenant)
  const drain = await costOf(stage.redis, async () => {
    let done = 0
    const all = Promise.withResolvers<void>()
    const counted = { started() {}, ended: () => (++done === runs ? all.resolve() : undefined) }
    node.work({ slots: SLOTS, witness: counted })
    await all.promise
    const left = async () =>
      (await Promise.all(tenants.map((tenant) => node.queue.depth(tenant)))).every((d) => d.active === 0)
    await until(async () => (await left()) || 'runs are still active', 10_000)
  })
  for (const tenant of tenants) await node.queue.drop(tenant)
  await node.stop()
  await node.redis.disconnect()
  return { fill, drain }
}

function idleTenants(count: number): (string | number)[] {
  return Array.from({ length: count }, (_, i) => [0, `idle-${i}`]).flat()
}

async function bull(stage: Stage, runs: number): Promise<{ fill: Round; drain: Round }> {
  const name = `bench${++serial}`
  const connection = { host: '127.0.0.1', port: stage.port, maxRetriesPerRequest: null }
  const options = { removeOnComplete: { count: 10_000 }, removeOnFail: true }
  const queue = new BullQueue(name, { connection, defaultJobOptions: options })
  await queue.waitUntilReady()
  const fill = await costOf(stage.redis, async () => {
    for (let at = 0; at < runs; at += FILL) {
      await queue.addBulk(Array.from({ length: FILL }, () => ({ name: 'w', data: { n: 1 } })))
    }
  })
  const worker = new BullWorker(name, async ({ data }) => data, { connection, concurrency: SLOTS, autorun: false })
  await worker.waitUntilReady()
  const drain = await costOf(stage.redis, async () => {
    let done = 0
    const all = Promise.withResolvers<void>()
    worker.on('completed', () => (++done === runs ? all.resolve() : undefined))
    void worker.run()
    await all.promise
  })
  await worker.close()
  await queue.obliterate({ force: true })
  await queue.close()
  return { fill, drain }
}

export const engineBench: Bench = {
  name: 'engine',
  what: 'the queue beside BullMQ: runs a second, Redis CPU and calls a run',
  async run(say) {
    const stage = await startStage()
    try {
      return await measure(stage, say)
    } finally {
      await stage.stop()
    }
  },
}

async function measure(stage: Stage, say: (line: string) => void): Promise<Figure[]> {
  await ours(stage, 1, 2000)
  await bull(stage, 2000)
  const rounds: Record<'one' | 'many' | 'bull', { fill: Round; drain: Round }[]> = { one: [], many: [], bull: [] }
  for (let round = 1; round <= ROUNDS; round++) {
    rounds.one.push(await ours(stage, 1, RUNS))
    rounds.bull.push(await bull(stage, RUNS))
    rounds.many.push(await ours(stage, 100, RUNS))
    const rate = (list: { drain: Round }[]) => Math.round((RUNS / (list.at(-1)?.drain.ms ?? 1)) * 1000)
    say(
      `round ${round} of ${ROUNDS}: runs/s: one tenant ${rate(rounds.one)}, 100 tenants ${rate(rounds.many)}, BullMQ ${rate(rounds.bull)}`,
    )
  }
  const perSecond = (list: { drain: Round }[]) => list.map(({ drain }) => (RUNS / drain.ms) * 1000)
  const perRun = (list: { fill: Round; drain: Round }[], what: 'cpuUs' | 'calls', part: 'fill' | 'drain') =>
    list.map((round) => round[part][what] / RUNS)
  const { one, many, bull: peer } = rounds
  return [
    figure('drain, one tenant', 'runs/s', perSecond(one), perSecond(peer)),
    figure('drain, 100 tenants', 'runs/s', perSecond(many), perSecond(peer)),
    figure('Redis CPU to drain, one tenant', 'µs/run', perRun(one, 'cpuUs', 'drain'), perRun(peer, 'cpuUs', 'drain')),
    figure('Redis CPU to drain, 100 tenants', 'µs/run', perRun(many, 'cpuUs', 'drain'), perRun(peer, 'cpuUs', 'drain')),
    figure('Redis CPU to add', 'µs/run', perRun(one, 'cpuUs', 'fill'), perRun(peer, 'cpuUs', 'fill')),
    figure('calls to drain, one tenant', 'calls/run', perRun(one, 'calls', 'drain'), perRun(peer, 'calls', 'drain')),
    figure('calls to drain, 100 tenants', 'calls/run', perRun(many, 'calls', 'drain'), perRun(peer, 'calls', 'drain')),
  ]
}
