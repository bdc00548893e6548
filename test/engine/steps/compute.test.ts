// The threads behind compute steps: few, ended in time, and shared between tenants. Real threads, counted as they start and end.

import type { Worker } from 'node:worker_threads'
import { afterAll, expect, test } from 'vitest'
import { compute, THREADS_MAX } from '../../../engine/steps/compute.ts'
import { inContext } from '../../../engine/telemetry/context.ts'
import { until } from '../stage.ts'

let live = 0
let peak = 0
const onWorker = (worker: Worker) => {
  peak = Math.max(peak, ++live)
  worker.once('exit', () => live--)
}
process.on('worker', onWorker)
afterAll(() => process.off('worker', onWorker))

const LONG_MS = 600_000

/** Steps of one tenant, each with what ends it. */
function steps(tenant: string, count: number, ms: number) {
  return Array.from({ length: count }, () => {
    const abort = new AbortController()
    const ended: { how: unknown } = { how: null }
    const done = inContext({ tenant }, () => compute(ms, abort.signal)).then(
      () => {
        ended.how = 'done'
      },
      (reason: unknown) => {
        ended.how = reason
      },
    )
    return { abort, done, ended }
  })
}

test('a step without a free thread waits, and is ended at its deadline like one that has a thread', async () => {
  const all = steps('crowd', 3 * THREADS_MAX, LONG_MS)
  await until(() => live === THREADS_MAX, 10_000)
  for (const { abort } of all) abort.abort('deadline')
  await Promise.all(all.map(({ done }) => done))
  expect(new Set(all.map(({ ended }) => ended.how))).toEqual(new Set(['deadline']))
  expect(peak).toBe(THREADS_MAX)
})

test('all that wait are computed, by never more threads than there may be', async () => {
  const all = steps('many', 3 * THREADS_MAX, 1)
  await Promise.all(all.map(({ done }) => done))
  expect(all.map(({ ended }) => ended.how)).toEqual(Array(all.length).fill('done'))
  expect(peak).toBe(THREADS_MAX)
})

test('the next free thread is for the tenant that has the fewest, however many wait before it', async () => {
  const hog = steps('hog', THREADS_MAX + 5, LONG_MS)
  const [quiet] = steps('quiet', 1, 1)
  hog[0]?.abort.abort('deadline')
  await quiet?.done
  expect(quiet?.ended.how).toBe('done')
  expect(hog.filter(({ ended }) => ended.how === null)).toHaveLength(THREADS_MAX + 4)
  for (const { abort } of hog) abort.abort('deadline')
  await Promise.all(hog.map(({ done }) => done))
})
