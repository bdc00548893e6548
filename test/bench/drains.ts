// Empty runs, filled in before the clock starts and then drained: by the engine's queue, for so many tenants and beside so
// many idle ones, and by BullMQ, where all share one queue, as its users have it. One process works, with the same slots.

import { Queue as BullQueue, Worker as BullWorker } from 'bullmq'
import { schedulerKeys, tenantKeys } from '../../engine/queue/keys.ts'
import type { FunctionName } from '../../engine/queue/library.ts'
import type { Connection } from '../../engine/redis.ts'
import type { TenantId } from '../../engine/tenant.ts'
import { type Node, type Stage, startNode, until } from '../engine/stage.ts'
import { costOf, type RedisCost, sentDuring, total } from './redis-cost.ts'

const SLOTS = 100
const FILL = 500
const PAGE = 1000

export interface Drain {
  runs: number
  fill: RedisCost
  drain: RedisCost
}

export interface Drained {
  tenants: number
  runs: number
  /** Registered beside them, with nothing to run. */
  idle?: readonly string[]
}

/** What goes by the clock and not by the runs: the audit's and the reaper's. */
const BY_THE_CLOCK: readonly FunctionName[] = ['auditor', 'peek', 'due', 'rest', 'reap']
/** The same of plain commands, and how the benchmark itself sees the end. */
const CLOCK_COMMANDS = ['zcard', 'zrangebylex', 'xlen', 'info']

let serial = 0

interface Bed {
  node: Node
  tenants: TenantId[]
  close(): Promise<void>
}

async function bed(stage: Stage, { tenants: count, idle = [] }: Drained): Promise<Bed> {
  const namespace = `bench-${++serial}`
  const node = await startNode(stage, { namespace })
  const tenants: TenantId[] = []
  for (let i = 0; i < count; i++) tenants.push(await node.create(`b-${serial}-${i}`))
  await registerAll(node.redis, namespace, idle)
  return {
    node,
    tenants,
    async close() {
      for (const tenant of tenants) await node.queue.drop(tenant)
      await node.queue.unlinkOwn()
      await node.stop()
    },
  }
}

async function registerAll(redis: Connection, namespace: string, ids: readonly string[]): Promise<void> {
  const key = schedulerKeys(namespace).tenants
  for (let at = 0; at < ids.length; at += PAGE) {
    await redis.zadd(key, ...ids.slice(at, at + PAGE).flatMap((id) => [0, id]))
  }
}

async function fillTenants(node: Node, tenants: readonly TenantId[], runs: number): Promise<void> {
  for (let at = 0; at < runs; at += FILL) {
    const calls = Array.from({ length: Math.min(FILL, runs - at) }, (_, i) => {
      const tenant = tenants[(at + i) % tenants.length] as TenantId
      return ['admit', tenantKeys(tenant), [tenant, 'w', '{"n":1}', 60_000, '', '']] as ['admit', string[], string[]]
    })
    await node.library.callAll(calls)
  }
}

/** Until all of them are done and their outcomes have been told. */
async function workOff({ node, tenants }: Bed, runs: number): Promise<void> {
  let done = 0
  const all = Promise.withResolvers<void>()
  const counted = { started() {}, ended: () => (++done === runs ? all.resolve() : undefined) }
  node.work({ slots: SLOTS, witness: counted })
  await all.promise
  const depths = () => Promise.all(tenants.map((tenant) => node.queue.depth(tenant)))
  await until(async () => (await depths()).every(({ active }) => active === 0) || 'runs are still active', 10_000)
}

export async function ours(stage: Stage, asked: Drained): Promise<Drain> {
  const made = await bed(stage, asked)
  const fill = await costOf(stage.redis, () => fillTenants(made.node, made.tenants, asked.runs))
  for (const tenant of made.tenants) made.node.queue.touch(tenant)
  const drain = await costOf(stage.redis, () => workOff(made, asked.runs))
  await made.close()
  return { runs: asked.runs, fill, drain }
}

/** Calls a run that the engine sends to drain them; what goes by the clock is left out. */
export async function ourCalls(stage: Stage, asked: Drained): Promise<number> {
  const made = await bed(stage, asked)
  const { node, tenants } = made
  await fillTenants(node, tenants, asked.runs)
  let byTheClock = 0
  const call = node.library.call.bind(node.library)
  node.library.call = async (name, ...rest) => {
    if (BY_THE_CLOCK.includes(name)) byTheClock++
    return await call(name, ...rest)
  }
  for (const tenant of tenants) node.queue.touch(tenant)
  const sent = await sentDuring(() => workOff(made, asked.runs))
  await made.close()
  for (const name of CLOCK_COMMANDS) sent.delete(name)
  return (total(sent) - byTheClock) / asked.runs
}

/** Share of a Redis core that one process takes with nothing to run: the audit of its registry, and its waiting. */
export async function idleShare(stage: Stage, idle: readonly string[], lastsMs: number): Promise<number> {
  const { node, close } = await bed(stage, { tenants: 1, runs: 0, idle })
  node.work({ slots: SLOTS })
  const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))
  // Until it has taken the role and knows how many there are.
  await wait(700)
  const { cpuUs, ms } = await costOf(stage.redis, () => wait(lastsMs))
  await close()
  return cpuUs / (ms * 1000)
}

/** Tenants as they are made by the API, with all that they cost: limits, group, one change noted. */
export async function makeIdle(node: Node, count: number, prefix: string): Promise<string[]> {
  const ids = Array.from({ length: count }, (_, i) => `${prefix}-${i}`)
  const limits = { startsPerMinute: 600, concurrentRuns: 8, maxRunMs: 60_000, maxQueued: 1000 }
  const fields = Object.entries({ ...limits, maxPayloadBytes: 65_536, weight: 1 }).flat()
  for (let at = 0; at < count; at += FILL) {
    const some = ids.slice(at, at + FILL) as TenantId[]
    await node.library.callAll(some.map((id) => ['setup', tenantKeys(id), ['state', 'active', ...fields]]))
    await node.library.callAll(some.map((id) => ['define', tenantKeys(id), ['w', '{"steps":[{"type":"echo"}]}']]))
  }
  return ids
}

interface BullBed {
  worker: BullWorker
  add(runs: number): Promise<void>
  workOff(runs: number): Promise<void>
  close(): Promise<void>
}

async function bullBed(stage: Stage): Promise<BullBed> {
  const name = `bench${++serial}`
  const connection = { host: '127.0.0.1', port: stage.port, maxRetriesPerRequest: null }
  const options = { removeOnComplete: { count: 10_000 }, removeOnFail: true }
  const queue = new BullQueue(name, { connection, defaultJobOptions: options })
  await queue.waitUntilReady()
  const worker = new BullWorker(name, async ({ data }) => data, { connection, concurrency: SLOTS, autorun: false })
  await worker.waitUntilReady()
  return {
    worker,
    async add(runs) {
      for (let at = 0; at < runs; at += FILL) {
        await queue.addBulk(Array.from({ length: Math.min(FILL, runs - at) }, () => ({ name: 'w', data: { n: 1 } })))
      }
    },
    async workOff(runs) {
      let done = 0
      const all = Promise.withResolvers<void>()
      worker.on('completed', () => (++done === runs ? all.resolve() : undefined))
      void worker.run()
      await all.promise
    },
    async close() {
      await worker.close()
      await queue.obliterate({ force: true })
      await queue.close()
    },
  }
}

export async function bull(stage: Stage, runs: number): Promise<Drain> {
  const made = await bullBed(stage)
  const fill = await costOf(stage.redis, () => made.add(runs))
  const drain = await costOf(stage.redis, () => made.workOff(runs))
  await made.close()
  return { runs, fill, drain }
}

export async function bullCalls(stage: Stage, runs: number): Promise<number> {
  const made = await bullBed(stage)
  await made.add(runs)
  const sent = await sentDuring(() => made.workOff(runs))
  await made.close()
  return total(sent) / runs
}
