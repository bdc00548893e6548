// A producer beside the API: 50,000 entries straight into one tenant's stream, a tenth of them malformed. Its caps hold at
// every instant, its neighbours wait no longer than before, and every malformed entry is a letter that says why.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { tenantKey } from '../../../engine/queue/keys.ts'
import type { TenantId } from '../../../engine/tenant.ts'
import { type Node, type Stage, startNode, startStage, until } from '../stage.ts'
import { quantile, Witness } from '../witness.ts'

const ENTRIES = 50_000
const MALFORMED = ENTRIES / 10
const CAP = 4
const BYTES_MAX = 1000
/** Starts of one quiet tenant: one every so often. */
const EVERY_MS = 25
/** Calm, the same writes into a stream of nobody, and the flood, by turns: whatever else the machine does falls on all alike. */
const ROUNDS = 5
const CALM_MS = 300
/** One turn of the event loop of a busy process: below it a ratio says nothing. */
const GRAIN_MS = 5

let stage: Stage
let node: Node
let witness: Witness
beforeAll(async () => {
  stage = await startStage()
  node = await startNode(stage)
  witness = new Witness()
  node.work({ slots: 16, witness })
})
afterAll(async () => {
  await node.stop()
  await stage.stop()
})

/** Starts a run of each tenant at a steady rate until told to stop; when each was asked for, by its entry. */
async function startSteadily(tenants: readonly TenantId[], goOn: () => boolean): Promise<Map<string, bigint>> {
  const askedNs = new Map<string, bigint>()
  const from = performance.now()
  for (let i = 0; goOn(); i++) {
    await sleep(Math.max(0, from + i * (EVERY_MS / tenants.length) - performance.now()))
    const tenant = tenants[i % tenants.length]
    if (tenant === undefined) break
    const atNs = process.hrtime.bigint()
    const admission = await node.queue.admit(tenant, 'w', 'null')
    if (admission.state === 'admitted') askedNs.set(`${tenant} ${admission.entryId}`, atNs)
  }
  return askedNs
}

interface Stretch {
  fromNs: bigint
  untilNs: bigint
}

/** From the start's request to the first step, milliseconds, of what was asked for in one of the stretches. */
function dwellMs(askedNs: ReadonlyMap<string, bigint>, stretches: readonly Stretch[]): number[] {
  return witness.sightings.flatMap(({ tenant, entryId, startedNs }) => {
    const atNs = askedNs.get(`${tenant} ${entryId}`)
    const within = atNs !== undefined && stretches.some(({ fromNs, untilNs }) => atNs >= fromNs && atNs < untilNs)
    return within ? [Number(startedNs - atNs) / 1e6] : []
  })
}

interface Producer {
  /** Until the last entry of this round is in the stream. */
  write(stream: string): Promise<void>
  stop(): Promise<void>
}

async function startProducer(): Promise<Producer> {
  const file = fileURLToPath(new URL('./producer.ts', import.meta.url))
  const told = { STAGE_URL: stage.url, TOO_LARGE: String(2 * BYTES_MAX) }
  const child = spawn(process.execPath, [file], {
    env: { ...process.env, ...told, ENTRIES: String(ENTRIES / ROUNDS) },
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const gone = once(child, 'exit')
  await once(child.stdout, 'data')
  return {
    async write(stream) {
      const written = once(child.stdout, 'data')
      child.stdin.write(`${stream}\n`)
      await written
    },
    async stop() {
      child.stdin.end()
      await gone
    },
  }
}

const said = (dwells: readonly number[]) =>
  `p50 ${quantile(dwells, 0.5).toFixed(1)} ms, p99 ${quantile(dwells, 0.99).toFixed(1)} ms of ${dwells.length}`

/** Every entry is a run, a letter, or counted as refused. */
async function expectAccounted(flooded: TenantId): Promise<void> {
  const reasons = new Map<string, number>()
  for (const { reason } of await node.queue.deadLetters(flooded, null, ENTRIES)) {
    reasons.set(reason, (reasons.get(reason) ?? 0) + 1)
  }
  const overLimit = (reasons.get('queue-full') ?? 0) + (reasons.get('rate-limited') ?? 0)
  reasons.delete('queue-full')
  reasons.delete('rate-limited')
  const each = MALFORMED / 5
  expect(Object.fromEntries(reasons)).toEqual({
    'input-malformed': each,
    'workflow-missing': each,
    'workflow-unknown': each,
    'payload-too-large': each,
    'tenant-mismatch': each,
  })
  expect(overLimit).toBeLessThanOrEqual(1000)
  const { totals } = await node.queue.meter(flooded)
  const ran = new Set(witness.of(flooded).map(({ entryId }) => entryId)).size
  expect(totals.done).toBe(ran)
  // What was over its limits is counted, letter or not.
  expect(ran + MALFORMED + totals.refusedQueue + totals.refusedRate).toBe(ENTRIES)
}

test('a flood written straight into one stream stays within its tenant', { timeout: 60_000 }, async () => {
  const steps = (ms: number) => [{ type: 'sleep', ms }]
  const flooded = await node.create(
    'flooded',
    { concurrentRuns: CAP, maxQueued: 50, maxPayloadBytes: BYTES_MAX },
    steps(20),
  )
  const quiet = await Promise.all(['quiet-1', 'quiet-2', 'quiet-3'].map((id) => node.create(id, {}, steps(2))))
  const producer = await startProducer()
  let over = false
  const starting = startSteadily(quiet, () => !over)
  const [calm, elsewhere, loud]: [Stretch[], Stretch[], Stretch[]] = [[], [], []]
  for (let round = 0; round < ROUNDS; round++) {
    const calmNs = process.hrtime.bigint()
    await until(() => process.hrtime.bigint() > calmNs + BigInt(CALM_MS) * 1_000_000n, 10 * CALM_MS)
    const elsewhereNs = process.hrtime.bigint()
    await producer.write('nobodys')
    const loudNs = process.hrtime.bigint()
    await producer.write(tenantKey.events(flooded))
    await until(async () => {
      const { queued, active } = await node.queue.depth(flooded)
      return queued + active === 0 || queued
    }, 20_000)
    calm.push({ fromNs: calmNs, untilNs: elsewhereNs })
    elsewhere.push({ fromNs: elsewhereNs, untilNs: loudNs })
    loud.push({ fromNs: loudNs, untilNs: process.hrtime.bigint() })
  }
  over = true
  const asked = await starting
  await producer.stop()
  const [still, before, beside] = [calm, elsewhere, loud].map((stretches) => dwellMs(asked, stretches))
  if (still === undefined || before === undefined || beside === undefined) throw new Error('three stretches')
  console.log(
    `dwell of the quiet: ${said(still)}; while nobody's stream is written: ${said(before)}; the flood: ${said(beside)}`,
  )

  expect(witness.peak(flooded)).toBeLessThanOrEqual(CAP)
  expect(before.length).toBeGreaterThan(200)
  expect(beside.length).toBeGreaterThan(200)
  // Against the same writes into nobody's stream just before: the processor and Redis are as busy, and the engine has nothing
  // to do with it. The median of the rounds, since one stall of the machine is the p99 of its round.
  for (const p of [0.5, 0.99]) {
    const ratios = loud.map((stretch, round) => {
      const other = dwellMs(asked, elsewhere.slice(round, round + 1))
      return quantile(dwellMs(asked, [stretch]), p) / Math.max(quantile(other, p), GRAIN_MS)
    })
    console.log(`p${100 * p}, ratio by round: ${ratios.map((ratio) => ratio.toFixed(2)).join(' ')}`)
    expect(quantile(ratios, 0.5)).toBeLessThanOrEqual(2)
  }

  await expectAccounted(flooded)
  for (const tenant of quiet) expect(await node.queue.deadLetters(tenant, null, 10)).toEqual([])
})
