// A thread that is held up on purpose, for as long as it is told, and then tells what its meters saw of it.

import { setTimeout as wait } from 'node:timers/promises'
import { parentPort, workerData } from 'node:worker_threads'
import { type HiccupTally, startHiccupMeter } from '../../harness/recording/hiccup.ts'
import { type Vitals, watchVitals } from '../../harness/recording/vitals.ts'

/** Waits, then is busy without a break, then makes garbage: milliseconds, and arrays of 1,000 objects. */
export interface Step {
  waitMs: number
  busyMs: number
  garbage: number
}

export interface Told {
  first: HiccupTally
  /** Taken right after the first. */
  second: HiccupTally
  vitals: Vitals
}

const { steps, restMs }: { steps: Step[]; restMs: number } = workerData
const meter = startHiccupMeter()
const vitals = watchVitals()
const kept: unknown[] = []
for (const { waitMs, busyMs, garbage } of steps) {
  await wait(waitMs)
  const until = performance.now() + busyMs
  while (performance.now() < until);
  for (let i = 0; i < garbage; i++) kept[0] = Array.from({ length: 1000 }, (_, n) => ({ n }))
}
if (restMs > 0) await wait(restMs)
const first = meter.take()
parentPort?.postMessage({ first, second: meter.take(), vitals: vitals.take() } satisfies Told)
meter.stop()
vitals.stop()
