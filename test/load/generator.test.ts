// The generator, whole, against targets whose truth is known: silence, a closed door, a broken event stream. What it
// measured is held against what the actual intended starts should have met. Stalls are the pathology suite's.

import { once } from 'node:events'
import { createServer as createHttpServer } from 'node:http'
import { createServer } from 'node:net'
import { Worker } from 'node:worker_threads'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { type Operation, unpack } from '../../harness/load/ledger.ts'
import { scheduleTenants } from '../../harness/load/schedule.ts'
import type { Load } from '../../harness/load/shapes.ts'
import { type GeneratorThread, startGenerator } from '../../harness/run/threads.ts'
import type { Completion } from '../../harness/target/port.ts'
import type { StubPlan } from './stub-server.ts'

const RUN_SEED = 23
const open: Array<() => Promise<unknown>> = []
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close()
})

async function stub(plan: Partial<StubPlan>): Promise<{ origin: string }> {
  const workerData: StubPlan = { isMute: false, ...plan }
  const worker = new Worker(new URL('./stub-server.ts', import.meta.url), { workerData })
  open.push(() => worker.terminate())
  const [{ port }] = await once(worker, 'message')
  return { origin: `http://127.0.0.1:${port}` }
}

interface Started {
  generator: GeneratorThread
  zeroNs: bigint
}

async function generate(
  origin: string,
  load: Load,
  { operationTimeoutMs = 10_000, completion = { by: 'response' } as Completion } = {},
): Promise<Started> {
  const start = { method: 'POST' as const, path: '/', headers: {}, body: '{"input":"{{canary}}"}' }
  const access = { label: 'quiet-1', id: 'q', origin, stepMs: 1, start, startIdAt: 'id', completion }
  const plan = { tenants: [access], loads: [load], runSeed: RUN_SEED, operationTimeoutMs, canaryKey: 'k' }
  const generator = await startGenerator(plan, 5000)
  open.push(() => generator.stop())
  const zeroNs = process.hrtime.bigint()
  generator.begin(zeroNs)
  return { generator, zeroNs }
}

/** Waits until this time of the generator's clock. */
const until = ({ zeroNs }: Started, us: number) =>
  new Promise((resolve) => setTimeout(resolve, us / 1000 - Number(process.hrtime.bigint() - zeroNs) / 1e6))

async function operationsUntil(started: Started, us: number, withinMs: number): Promise<Operation[]> {
  await until(started, us)
  return unpack((await started.generator.collect(0, us, withinMs)).operations)
}

const scheduledBefore = (us: number, load: Load): number[] => {
  const starts: number[] = []
  for (const { intendedUs } of scheduleTenants(RUN_SEED, [load])) {
    if (intendedUs >= us) break
    starts.push(intendedUs)
  }
  return starts
}

function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((x, y) => x - y)
  return sorted[Math.max(0, Math.ceil(sorted.length * q) - 1)] ?? Number.NaN
}

const responseMs = ({ intendedUs, endUs }: Operation) => (endUs - intendedUs) / 1000
const latenessMs = ({ intendedUs, handedUs }: Operation) => ((handedUs ?? Infinity) - intendedUs) / 1000
const outcomes = (operations: readonly Operation[]) => [...new Set(operations.map(({ outcome }) => outcome))]

describe(`the generator (run seed ${RUN_SEED})`, () => {
  test('a target that answers nobody makes everything unfinished, and nothing late', async () => {
    const { origin } = await stub({ isMute: true })
    // 600 are open at the end: more than ever shared a fixed number of connections.
    const load: Load = { ratePerSecond: 400, shape: 'uniform' }
    const started = await generate(origin, load)
    const operations = await operationsUntil(started, 1.5e6, 300)
    expect(operations.map(({ intendedUs }) => intendedUs)).toEqual(scheduledBefore(1.5e6, load))
    expect(outcomes(operations)).toEqual(['unfinished'])
    for (const op of operations) expect(responseMs(op)).toBeGreaterThanOrEqual((1.5e6 - op.intendedUs) / 1000 + 299)
    expect(quantile(operations.map(latenessMs), 0.5)).toBeLessThan(25)
  })

  test('one that is given up ends as unfinished too, with the time for which it was waited', async () => {
    const { origin } = await stub({ isMute: true })
    const started = await generate(origin, { ratePerSecond: 100, shape: 'uniform' }, { operationTimeoutMs: 1000 })
    const operations = await operationsUntil(started, 500_000, 10_000)
    expect(outcomes(operations)).toEqual(['unfinished'])
    for (const op of operations) expect(responseMs(op)).toBeGreaterThanOrEqual(1000)
    // Each at its own time, and not all at the time of the collection.
    expect(new Set(operations.map(({ endUs }) => endUs)).size).toBeGreaterThan(1)
  })

  test('a closed door fails everything at once, and makes nothing late', async () => {
    const door = createServer().listen(0, '127.0.0.1')
    await once(door, 'listening')
    const address = door.address()
    door.close()
    await once(door, 'close')
    const port = address && typeof address === 'object' ? address.port : 0
    const started = await generate(`http://127.0.0.1:${port}`, { ratePerSecond: 200, shape: 'poisson' })
    const operations = await operationsUntil(started, 1e6, 3000)
    expect(operations.length).toBe(scheduledBefore(1e6, { ratePerSecond: 200, shape: 'poisson' }).length)
    expect(outcomes(operations)).toEqual(['failed'])
    expect(quantile(operations.map(latenessMs), 0.5)).toBeLessThan(25)
    const serviceMs = operations.map(({ handedUs, endUs }) => (endUs - (handedUs ?? Number.NaN)) / 1000)
    for (const ms of serviceMs) expect(ms).toBeGreaterThan(0)
    expect(quantile(serviceMs, 0.5)).toBeLessThan(50)
  })

  test('arrivals go on from collection to collection, and each comes with how the thread fared', async () => {
    const { origin } = await stub({})
    const load: Load = { ratePerSecond: 200, shape: { burst: { size: 5 } } }
    const started = await generate(origin, load)
    const seen: Operation[] = []
    for (const us of [0.4e6, 0.8e6, 1.2e6]) {
      await until(started, us)
      const collected = await started.generator.collect(0, us, 3000)
      seen.push(...unpack(collected.operations))
      expect(collected.problems).toEqual([])
      expect(collected.vitals?.cpuUs).toBeGreaterThan(0)
      expect(collected.vitals?.loopUtilization).toBeGreaterThan(0)
      expect(collected.hiccups.samples).toBeGreaterThan(100)
    }
    expect(seen.map(({ intendedUs }) => intendedUs)).toEqual(scheduledBefore(1.2e6, load))
    expect(outcomes(seen)).toEqual(['ok'])
  })

  test('a stream of events that breaks in the middle of a run is told with the next collection, once', async () => {
    let streams = 0
    const server = createHttpServer((request, response) => {
      request.resume()
      if (request.method === 'POST') return void response.end('{"id":"r"}')
      streams++
      response.writeHead(200).write(': open\n\n')
      if (streams === 1) setTimeout(() => response.destroy(), 200)
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    open.push(async () => {
      server.closeAllConnections()
      server.close()
    })
    const call = { method: 'GET' as const, path: '/events', headers: {} }
    const completion: Completion = { by: 'sse', call, idAt: 'id', statusAt: 'status', done: ['done'], failed: [] }
    const address = server.address()
    const port = address && typeof address === 'object' ? address.port : 0
    const started = await generate(`http://127.0.0.1:${port}`, { ratePerSecond: 50, shape: 'uniform' }, { completion })
    await vi.waitFor(() => expect(streams).toBe(2), { timeout: 5000 })
    const { problems } = await started.generator.collect(0, 100_000, 0)
    expect(problems).toEqual([expect.stringContaining('quiet-1: the event stream broke')])
    expect((await started.generator.collect(100_000, 200_000, 0)).problems).toEqual([])
  })
})
