// The generator, whole, against targets whose truth is known: a stall that everybody must see, silence, a closed door.
// What it measured is held against what the actual intended starts should have met.

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
import type { FromStub, StubPlan } from './stub-server.ts'

const RUN_SEED = 23
const open: Array<() => Promise<unknown>> = []
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close()
})

async function stub(plan: Partial<StubPlan>): Promise<{ origin: string; worker: Worker }> {
  const workerData: StubPlan = { stall: null, isMute: false, ...plan }
  const worker = new Worker(new URL('./stub-server.ts', import.meta.url), { workerData })
  open.push(() => worker.terminate())
  const [{ port }] = await once(worker, 'message')
  return { origin: `http://127.0.0.1:${port}`, worker }
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
  test('tells the truth about one stall of 1 s, at 100/s', async () => {
    const load: Load = { ratePerSecond: 100, shape: 'poisson' }
    const { origin, worker } = await stub({ stall: { afterMs: 2000, forMs: 1000 } })
    const stalled = once(worker, 'message')
    const started = await generate(origin, load)
    await until(started, 5e6)
    const { operations: packed, hiccups } = await started.generator.collect(0, 5e6, 5000)
    const operations = unpack(packed)
    const [told]: FromStub[] = await stalled
    if (!told || !('stallNs' in told)) throw new Error('the stub did not stall')
    const [fromUs, toUs] = [told.stallNs.from, told.stallNs.to].map((ns) => Number(ns - started.zeroNs) / 1000)

    expect(operations.map(({ intendedUs }) => intendedUs)).toEqual(scheduledBefore(5e6, load))
    expect(outcomes(operations)).toEqual(['ok'])
    // 1 ms, and before it what was left of the stall.
    const truthMs = operations.map(({ intendedUs: due }) => {
      const isHeld = due >= (fromUs ?? Infinity) && due < (toUs ?? 0)
      return 1 + (isHeld ? ((toUs ?? 0) - due) / 1000 : 0)
    })
    expect(quantile(truthMs, 0.99)).toBeGreaterThan(900)
    // A machine that held up one of the two threads was itself a stall, of the length that their meters saw. It hits few
    // arrivals; of the median only our own tick takes a part.
    worker.postMessage('held up?')
    const [{ heldUpMs }] = await once(worker, 'message')
    const tickMs = quantile(operations.map(latenessMs), 0.5)
    expect(tickMs).toBeLessThan(3)
    for (const q of [0.5, 0.9, 0.99]) {
      const [truth, measured] = [quantile(truthMs, q), quantile(operations.map(responseMs), q)]
      const allowed = Math.max(2, truth / 20) + (q === 0.5 ? tickMs : heldUpMs + hiccups.maxUs / 1000)
      expect(Math.abs(measured - truth), `p${q * 100}: ${measured}, not ${truth}`).toBeLessThan(allowed)
    }
  })

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
