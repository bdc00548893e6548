// The door to the engine: composes its parts. Multi-tenant workflows on Redis Streams; what is here can be read in an
// evening. Refuses to know a seeded defect: those replace a part from outside, through a door of their own.

import type { Logger } from 'pino'
import { Brake } from './api/brake.ts'
import { Events } from './api/events.ts'
import { createServer } from './api/server.ts'
import { FairQueue } from './queue/fair-queue.ts'
import { FunctionLibrary } from './queue/library.ts'
import type { QueueFactory } from './queue/queue.ts'
import { connect } from './redis.ts'
import { ownRunsOnly, type RunFinder, Runs } from './runs.ts'
import { Tenants } from './tenants.ts'
import { type StepWitness, Worker } from './workers/worker.ts'

export interface EngineOptions {
  redisUrl: string
  adminToken: string
  /** Keeps the scheduler keys of several engines on one Redis apart. */
  namespace: string
  /** Runs at the same time in this process, over all tenants. */
  slots: number
  /** Leaves nothing of its own in Redis when it stops; tenants stay. */
  ephemeral: boolean
  log: Logger
}

/** What may be replaced. Left out, a part is the real one. */
export interface EngineParts {
  queue?: QueueFactory
  findRun?: RunFinder
  witness?: StepWitness
  /** The window of `startsPerMinute` in milliseconds; shorter only in tests. */
  windowMs?: number
}

export interface Engine {
  readonly port: number
  /** Stops claiming, waits for running steps at most `graceMs`, then closes everything. */
  stop(graceMs: number): Promise<void>
}

export async function startEngine(options: EngineOptions, port: number, parts: EngineParts = {}): Promise<Engine> {
  const { log, namespace } = options
  const redis = await connect(options.redisUrl, 'commands', log)
  const subscriber = await connect(options.redisUrl, 'subscriber', log)
  const library = new FunctionLibrary(redis)
  await library.load()
  const makeQueue: QueueFactory = parts.queue ?? ((given) => new FairQueue(given))
  const queue = makeQueue({ redis, library, namespace, windowMs: parts.windowMs ?? 60_000 })
  const witness = parts.witness ? { witness: parts.witness } : {}
  const worker = new Worker(queue, { slots: options.slots, log, ...witness })
  const events = new Events(redis, subscriber, log)
  const brake = new Brake()
  const tenants = new Tenants({
    redis,
    library,
    queue,
    changed(tenant, what) {
      brake.release(tenant)
      if (what !== 'removed') return
      worker.abort(tenant)
      void events.drop(tenant)
    },
  })
  const runs = new Runs(redis, library, parts.findRun ?? ownRunsOnly)
  const { adminToken } = options
  const server = createServer({ adminToken, redis, tenants, runs, queue, brake, events, log })
  worker.start()
  await server.listen({ host: '127.0.0.1', port })
  const address = server.server.address()

  return {
    port: typeof address === 'object' && address ? address.port : port,
    async stop(graceMs) {
      await worker.stop(graceMs)
      await events.stop()
      await server.close()
      if (redis.status === 'ready') {
        await queue.settle()
        if (options.ephemeral) {
          await queue.unlinkOwn()
          await library.unloadOwn()
        }
      }
      subscriber.disconnect()
      redis.disconnect()
    },
  }
}
