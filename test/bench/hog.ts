// What a hog does to its neighbours: small tenants that send a run every 20 ms, with and without a tenant beside them that
// has thousands of runs waiting, in the engine's queue and in BullMQ's one queue. Waits are from the send to the start of
// the step, both on this process' clock. Nothing takes a slot from a run, so a wait of one run of the hog is the least.

import { setTimeout as wait } from 'node:timers/promises'
import { Queue as BullQueue, Worker as BullWorker } from 'bullmq'
import type { TenantId } from '../../engine/tenant.ts'
import { type Stage, startNode, until } from '../engine/stage.ts'

const SLOTS = 16
const LONG_MS = 5
/** Work for all slots for longer than the small tenants send. */
const HOG_RUNS = 7500
const SMALL = 4
const SENT = 400
const SEND_EVERY_MS = 5

let serial = 0

/** 99th percentile of the waits of the small tenants, milliseconds. */
function p99(waitsMs: readonly number[]): number {
  const sorted = [...waitsMs].sort((a, b) => a - b)
  return sorted[Math.ceil(0.99 * sorted.length) - 1] ?? Number.NaN
}

/** By the clock: a send that is late does not hold back the next ones. */
async function sendSmall(send: (nth: number) => Promise<unknown>): Promise<void> {
  const from = performance.now()
  const sends: Promise<unknown>[] = []
  while (sends.length < SENT) {
    const due = Math.min(SENT, 1 + Math.floor((performance.now() - from) / SEND_EVERY_MS))
    while (sends.length < due) sends.push(send(sends.length))
    await wait(1)
  }
  await Promise.all(sends)
}

export type Hog = 'with a hog' | 'without'

export async function ourWait(stage: Stage, hog: Hog): Promise<number> {
  const namespace = `hog-${++serial}`
  const node = await startNode(stage, { namespace })
  const small: TenantId[] = []
  for (let i = 0; i < SMALL; i++) small.push(await node.create(`small-${serial}-${i}`))
  const big = await node.create(`hog-${serial}`, {}, [{ type: 'sleep', ms: LONG_MS }])
  if (hog === 'with a hog') {
    for (let i = 0; i < HOG_RUNS; i += 100) {
      await Promise.all(Array.from({ length: 100 }, () => node.queue.admit(big, 'w', '{}')))
    }
  }
  const waits: number[] = []
  const started = ({ tenant, inputText }: { tenant: TenantId; inputText: string }) => {
    if (tenant !== big) waits.push(performance.now() - JSON.parse(inputText).atMs)
  }
  node.work({ slots: SLOTS, witness: { started, ended() {} } })
  await sendSmall((nth) => {
    return node.queue.admit(small[nth % SMALL] as TenantId, 'w', JSON.stringify({ atMs: performance.now() }))
  })
  await until(() => waits.length === SENT || `${waits.length} of ${SENT} started`, 30_000)
  for (const tenant of [...small, big]) await node.queue.drop(tenant)
  await node.stop()
  return p99(waits)
}

export async function bullWait(stage: Stage, hog: Hog): Promise<number> {
  const name = `hog${++serial}`
  const connection = { host: '127.0.0.1', port: stage.port, maxRetriesPerRequest: null }
  const queue = new BullQueue(name, { connection, defaultJobOptions: { removeOnComplete: true, removeOnFail: true } })
  await queue.waitUntilReady()
  if (hog === 'with a hog') {
    await queue.addBulk(Array.from({ length: HOG_RUNS }, () => ({ name: 'w', data: { tenant: 'hog' } })))
  }
  const waits: number[] = []
  const work = async ({ data }: { data: { tenant: string; atMs?: number } }) => {
    if (data.tenant === 'hog') await wait(LONG_MS)
    else waits.push(performance.now() - (data.atMs ?? Number.NaN))
    return data
  }
  const worker = new BullWorker(name, work, { connection, concurrency: SLOTS })
  await worker.waitUntilReady()
  await sendSmall((nth) => queue.add('w', { tenant: `small-${nth % SMALL}`, atMs: performance.now() }))
  await until(() => waits.length === SENT || `${waits.length} of ${SENT} started`, 30_000)
  await worker.close()
  await queue.obliterate({ force: true })
  await queue.close()
  return p99(waits)
}
