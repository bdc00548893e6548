// The meters in a thread of their own, which is held up on purpose.

import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { afterEach, expect, test } from 'vitest'
import type { Step, Told } from './held-thread.ts'

const workers: Worker[] = []
afterEach(async () => {
  for (const worker of workers.splice(0)) await worker.terminate()
})

async function held(steps: (Omit<Step, 'garbage'> & Partial<Step>)[], restMs: number): Promise<Told> {
  const workerData = { steps: steps.map((step) => ({ garbage: 0, ...step })), restMs }
  const worker = new Worker(new URL('./held-thread.ts', import.meta.url), { workerData })
  workers.push(worker)
  const [told] = await once(worker, 'message')
  return told as Told
}

const STALL = { waitMs: 300, busyMs: 500 }

test('two stalls of 500 ms in two seconds are seen in the p99 of the window', async () => {
  const { first, second } = await held([STALL, STALL], 400)
  expect(first.maxUs).toBeGreaterThan(495_000)
  // Half of the time lay in a stall: the top hundredth begins at about 98 % of its length.
  expect(first.p99Us).toBeGreaterThan(450_000)
  expect(first.p99Us).toBeLessThanOrEqual(first.maxUs)
  expect(first.samples).toBeGreaterThan(1000)
  // Both stalls were told; nothing of them is left for the next window.
  expect(second.maxUs).toBeLessThan(400_000)
})

test('a stall is in the window in which it was, though the asker comes before the late timer', async () => {
  const { first, second } = await held([{ waitMs: 50, busyMs: 300 }], 0)
  expect(first.maxUs).toBeGreaterThan(290_000)
  expect(first.samples).toBeGreaterThan(290)
  expect(second.samples).toBeLessThan(50)
})

test('the vitals tell the busy share, the CPU and the pauses for garbage', async () => {
  const { vitals } = await held([{ waitMs: 100, busyMs: 400, garbage: 3000 }], 100)
  expect(vitals.loopUtilization).toBeGreaterThan(0.3)
  expect(vitals.loopUtilization).toBeLessThanOrEqual(1)
  expect(vitals.cpuUs).toBeGreaterThan(50_000)
  expect(vitals.gc.count).toBeGreaterThan(0)
  expect(vitals.gc.maxUs).toBeLessThanOrEqual(vitals.gc.sumUs)
})
