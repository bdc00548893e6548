// The door to the engine: composes its parts. Multi-tenant workflows on Redis Streams; what is here can be read in an
// evening. Refuses to know a seeded defect: those replace a part from outside, through a door of their own.

import type { Logger } from 'pino'
import { Brake } from './api/brake.ts'
import { Drain } from './api/drain.ts'
import { Events } from './api/events.ts'
import { Exporter, type ExporterParts } from './api/export.ts'
import { createServer } from './api/server.ts'
import { FairQueue } from './queue/fair-queue.ts'
import { voidChannel } from './queue/keys.ts'
import { FunctionLibrary, type SourcePatch } from './queue/library.ts'
import type { Claim, CrashPoint, Queue, QueueFactory } from './queue/queue.ts'
import { type Connection, connect } from './redis.ts'
import { ownRunsOnly, type RunFinder, Runs } from './runs.ts'
import type { StepRunner } from './steps/steps.ts'
import { inContext } from './telemetry/context.ts'
import { Metrics } from './telemetry/metrics.ts'
import { isTenantId, type TenantId } from './tenant.ts'
import { Tenants } from './tenants.ts'
import { type StepWitness, Worker } from './workers/worker.ts'
import { runIdOf } from './workflow.ts'

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

/** What may be replaced: all of it, and here only. Left out, a part is the real one. */
export interface EngineParts {
  queue?: QueueFactory
  /** Changes the source of the Redis functions before it is loaded. */
  patchLibrary?: SourcePatch
  findRun?: RunFinder
  runStep?: StepRunner
  makeExporter?: (parts: ExporterParts) => Exporter
  witness?: StepWitness
  /** Told when the process passes a place where it may die. */
  passed?: (point: CrashPoint) => void
  /** The window of `startsPerMinute` in milliseconds; shorter only in tests. */
  windowMs?: number
  /** How long an export may stand still before it is ended, milliseconds; shorter only in tests. */
  stalledExportMs?: number
  /** How long a silent worker keeps its runs, milliseconds; shorter only in tests. */
  leaseMs?: number
}

export interface Engine {
  readonly port: number
  /** Takes no more starts, stops claiming, waits for running steps at most `graceMs`. What runs can be read meanwhile. */
  drain(graceMs: number): Promise<void>
  /** Drains, then closes everything. */
  stop(graceMs: number): Promise<void>
}

const WINDOW_MS = 60_000
const LEASE_MS = 5000

interface Core {
  redis: Connection
  subscriber: Connection
  library: FunctionLibrary
  queue: Queue
  worker: Worker
  /** Once, however often it is asked. */
  stop(graceMs: number): Promise<void>
}

/** Whatever is done and logged for a run carries its tenant and its id. */
const inRunContext = (log: Logger) => async (claim: Claim, work: () => Promise<void>) => {
  const { tenant, entryId, workflow, attempt } = claim
  await inContext({ tenant, run: runIdOf(tenant, entryId) }, async () => {
    log.debug({ workflow, attempt }, 'a run begins')
    await work()
    log.debug('its outcome was told')
  })
}

/** What every process has: connections, the library, the queue, a worker that has not been started. */
async function startCore(options: EngineOptions, parts: EngineParts): Promise<Core> {
  const { log, namespace, redisUrl, slots } = options
  const [redis, subscriber, bell] = await Promise.all([
    connect(redisUrl, 'commands', log),
    connect(redisUrl, 'subscriber', log),
    connect(redisUrl, 'bell', log),
  ])
  const library = new FunctionLibrary(redis, parts.patchLibrary)
  await library.load()
  const leaseMs = parts.leaseMs ?? LEASE_MS
  const windowMs = parts.windowMs ?? WINDOW_MS
  const passed = parts.passed ? { passed: parts.passed } : {}
  const makeQueue: QueueFactory = parts.queue ?? ((given) => new FairQueue(given))
  const queue = makeQueue({ redis, bell, subscriber, library, namespace, windowMs, leaseMs, ...passed })
  const witness = parts.witness ? { witness: parts.witness } : {}
  const runStep = parts.runStep ? { runStep: parts.runStep } : {}
  const worker = new Worker(queue, { slots, log, leaseMs, around: inRunContext(log), ...witness, ...runStep })
  const stopOnce = async (graceMs: number) => {
    await worker.stop(graceMs)
    if (redis.status === 'ready') await queue.settle()
    await queue.close()
  }
  let stopping: Promise<void> | null = null
  const stop = (graceMs: number) => {
    stopping ??= stopOnce(graceMs)
    return stopping
  }
  return { redis, subscriber, library, queue, worker, stop }
}

/** Calls back when a tenant was removed, by whatever process. A message that is lost costs what is kept a second more. */
function onRemoval(subscriber: Connection, namespace: string, tell: (tenant: TenantId) => void): void {
  const channel = voidChannel(namespace)
  subscriber.on('message', (from: string, text: string) => {
    const [tenant, what] = text.split(' ')
    if (from === channel && what === '*' && isTenantId(tenant)) tell(tenant)
  })
  subscriber.subscribe(channel).catch(() => {})
}

/** A process that only runs steps. */
export async function startWorker(options: EngineOptions, parts: EngineParts = {}): Promise<Pick<Engine, 'stop'>> {
  const core = await startCore(options, parts)
  core.worker.start()
  return {
    async stop(graceMs) {
      await core.stop(graceMs)
      core.subscriber.disconnect()
      core.redis.disconnect()
    },
  }
}

export async function startEngine(options: EngineOptions, port: number, parts: EngineParts = {}): Promise<Engine> {
  const { adminToken, log, namespace } = options
  const core = await startCore(options, parts)
  const { redis, subscriber, library, queue, worker } = core
  const events = new Events(redis, subscriber, log)
  const brake = new Brake()
  const tenants = new Tenants({
    redis,
    library,
    queue,
    namespace,
    adminToken,
    changed(tenant) {
      brake.release(tenant)
      queue.touch(tenant)
    },
  })
  onRemoval(subscriber, namespace, (tenant) => {
    tenants.letGo(tenant)
    brake.release(tenant)
    worker.abort(tenant)
    void events.drop(tenant)
  })
  const runs = new Runs(redis, library, parts.findRun ?? ownRunsOnly)
  const metrics = new Metrics({ redis, queue, tenants, namespace })
  const makeExporter = parts.makeExporter ?? ((given) => new Exporter(given))
  const exporter = makeExporter({ redis, library, queue, reportOf: (caller) => metrics.reportOf(caller) })
  const drain = new Drain()
  const stalled = parts.stalledExportMs === undefined ? {} : { stalledExportMs: parts.stalledExportMs }
  const reading = { runs, events, metrics, exporter }
  const server = createServer({ adminToken, redis, tenants, queue, brake, drain, log, ...reading, ...stalled })
  worker.start()
  await server.listen({ host: '127.0.0.1', port })
  const address = server.server.address()

  return {
    port: typeof address === 'object' && address ? address.port : port,
    async drain(graceMs) {
      drain.begin()
      await core.stop(graceMs)
    },
    async stop(graceMs) {
      drain.begin()
      await core.stop(graceMs)
      metrics.stop()
      await events.stop()
      await server.close()
      if (redis.status === 'ready' && options.ephemeral) {
        await queue.unlinkOwn()
        await library.unloadOwn()
      }
      subscriber.disconnect()
      redis.disconnect()
    },
  }
}
