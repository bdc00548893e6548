// A private Redis and engines on it, for the live suites of the engine: all real, ended when the suite ends. Refuses to
// touch a Redis that it did not start.

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Logger, pino } from 'pino'
import { FairQueue } from '../../engine/queue/fair-queue.ts'
import { tenantKeys } from '../../engine/queue/keys.ts'
import { FunctionLibrary, type SourcePatch } from '../../engine/queue/library.ts'
import type { CrashPoint } from '../../engine/queue/queue.ts'
import { type Connection, connect } from '../../engine/redis.ts'
import { parseTenantId, type TenantId } from '../../engine/tenant.ts'
import { type StepWitness, Worker, type WorkerOptions } from '../../engine/workers/worker.ts'
import { findRedisServer, freePort } from '../../harness/stack/redis.ts'

const silent: Logger = pino({ level: process.env.STAGE_LOG ?? 'silent' })

export interface Stage {
  url: string
  port: number
  redis: Connection
  stop(): Promise<void>
}

export async function startStage(): Promise<Stage> {
  const dir = mkdtempSync(join(tmpdir(), 'partywall-stage-'))
  const server = findRedisServer() ?? 'nothing'
  const port = await freePort()
  const settings = ['--port', String(port), '--bind', '127.0.0.1', '--dir', dir, '--save', '', '--appendonly', 'no']
  const child: ChildProcess = spawn(server, settings, { stdio: ['ignore', 'pipe', 'inherit'] })
  const onExit = () => child.kill('SIGKILL')
  process.once('exit', onExit)
  let said = ''
  for await (const chunk of child.stdout ?? []) {
    said += String(chunk)
    if (said.includes('Ready to accept connections')) break
  }
  const url = `redis://127.0.0.1:${port}`
  const redis = await connect(url, 'commands', silent)
  return {
    url,
    port,
    redis,
    async stop() {
      redis.disconnect()
      const gone = once(child, 'exit')
      child.kill('SIGKILL')
      await gone
      process.off('exit', onExit)
      rmSync(dir, { recursive: true, force: true })
    },
  }
}

export interface Limits {
  startsPerMinute?: number
  concurrentRuns?: number
  maxRunMs?: number
  maxQueued?: number
  maxPayloadBytes?: number
  weight?: number
}

const WIDE = {
  startsPerMinute: 1_000_000,
  concurrentRuns: 10_000,
  maxRunMs: 60_000,
  maxQueued: 1_000_000,
  maxPayloadBytes: 65_536,
  weight: 1,
}

export interface NodeOptions {
  namespace?: string
  windowMs?: number
  leaseMs?: number
  patch?: SourcePatch
  passed?: (point: CrashPoint) => void
  /** Another address of the same Redis: a proxy. */
  url?: string
}

/** One process' share of the engine: a queue, and workers on it. */
export interface Node {
  redis: Connection
  library: FunctionLibrary
  queue: FairQueue
  create(id: string, limits?: Limits, steps?: unknown[], more?: object): Promise<TenantId>
  relimit(id: TenantId, limits: Limits): Promise<void>
  work(options: Partial<WorkerOptions> & { slots: number; witness?: StepWitness }): Worker
  stop(): Promise<void>
}

export async function startNode(stage: Pick<Stage, 'url' | 'port'>, options: NodeOptions = {}): Promise<Node> {
  const url = options.url ?? stage.url
  const [redis, subscriber, bell] = await Promise.all([
    connect(url, 'commands', silent),
    connect(url, 'subscriber', silent),
    connect(url, 'bell', silent),
  ])
  const library = new FunctionLibrary(redis, options.patch)
  await library.load()
  const { namespace = 'test', windowMs = 60_000, leaseMs = 5000 } = options
  const passed = options.passed ? { passed: options.passed } : {}
  const queue = new FairQueue({ redis, bell, subscriber, library, namespace, windowMs, leaseMs, ...passed })
  const workers: Worker[] = []
  return {
    redis,
    library,
    queue,
    async create(id, limits = {}, steps = [{ type: 'echo' }], more = {}) {
      const tenant = parseTenantId(id)
      const fields = Object.entries({ ...WIDE, ...limits }).flat()
      await library.call('setup', tenantKeys(tenant), ['state', 'active', ...fields])
      await library.call('define', tenantKeys(tenant), ['w', JSON.stringify({ steps, ...more })])
      await queue.register(tenant)
      return tenant
    },
    async relimit(id, limits) {
      await library.call('relimit', tenantKeys(id), Object.entries(limits).flat())
      queue.touch(id)
    },
    work(given) {
      const worker = new Worker(queue, { log: silent, leaseMs, ...given })
      workers.push(worker)
      worker.start()
      return worker
    },
    async stop() {
      await Promise.all(workers.map((worker) => worker.stop(0)))
      await queue.close()
      subscriber.disconnect()
      redis.disconnect()
    },
  }
}

/** Polls until the condition holds. @throws Error after `withinMs`, with what was last seen. */
export async function until(condition: () => Promise<unknown> | unknown, withinMs: number): Promise<void> {
  const end = performance.now() + withinMs
  for (;;) {
    const seen = await condition()
    if (seen === true) return
    if (performance.now() > end) throw new Error(`not within ${withinMs} ms; last seen: ${JSON.stringify(seen)}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}
