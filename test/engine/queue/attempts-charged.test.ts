// Slot time is charged however an attempt ends: told, cancelled, tried again, or given back by the reaper. A tenant that
// found a free way to end its runs would have all the slots.

import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Claim } from '../../../engine/queue/queue.ts'
import type { TenantId } from '../../../engine/tenant.ts'
import { type Node, type Stage, startNode, startStage, until } from '../stage.ts'
import { Witness } from '../witness.ts'
import { Turns } from './turns.ts'

const SLOTS = 2
const LONG_MS = 300

let stage: Stage
let node: Node
let witness: Witness
beforeEach(async () => {
  stage = await startStage()
  node = await startNode(stage)
  witness = new Witness()
})
afterEach(async () => {
  await node.stop()
  await stage.stop()
})

/** The sly tenant's share of slot time, from when both run until each slot has had the time of eight of its long runs. */
async function shareOf(sly: TenantId, started: (claim: Claim) => void): Promise<number> {
  const honest = await node.create('honest', {}, [{ type: 'sleep', ms: 30 }])
  for (let i = 0; i < 600; i++) await node.queue.admit(honest, 'w', 'null')
  node.work({
    slots: SLOTS,
    witness: {
      started(claim) {
        witness.started(claim)
        if (claim.tenant === sly) started(claim)
      },
      ended: (claim) => witness.ended(claim),
    },
  })
  await until(() => witness.of(sly).length > 0 && witness.of(honest).length > 0, 3000)
  const fromNs = process.hrtime.bigint()
  const untilNs = fromNs + BigInt(8 * LONG_MS) * 1_000_000n
  await until(() => process.hrtime.bigint() > untilNs, 20 * LONG_MS)
  const during = new Witness()
  during.sightings.push(...witness.sightings.filter(({ startedNs }) => startedNs > fromNs))
  const slotMs = during.slotMs(untilNs)
  const [own, others] = [slotMs.get(sly) ?? 0, slotMs.get(honest) ?? 0]
  console.log(`slot time: ${own.toFixed(0)} ms beside ${others.toFixed(0)} ms`)
  // Both had work all the time, so the slots were used up by the two of them.
  expect(own + others).toBeGreaterThan(0.8 * SLOTS * 8 * LONG_MS)
  return own / (own + others)
}

describe('a tenant beside an honest one, both with more to run than the slots take, has no more than its half', () => {
  test('when it cancels its long runs just before their end', async () => {
    const sly = await node.create('sly', {}, [{ type: 'sleep', ms: LONG_MS }])
    for (let i = 0; i < 100; i++) await node.queue.admit(sly, 'w', 'null')
    const share = await shareOf(sly, (claim) => {
      // Those that come when the test is over are nobody's concern.
      void sleep(LONG_MS - 20)
        .then(() => node.queue.cancel(sly, claim.entryId))
        .catch(() => {})
    })
    expect(share).toBeLessThanOrEqual(0.6)
    expect((await node.queue.meter(sly)).totals.cancelled).toBeGreaterThan(2)
  })

  test('when its long attempts fail and are tried again', async () => {
    const steps = [{ type: 'model', ms: LONG_MS, failureRate: 1 }]
    const sly = await node.create('sly', {}, steps, { retry: { attempts: 20, backoffMs: 0 } })
    for (let i = 0; i < 100; i++) await node.queue.admit(sly, 'w', 'null')
    const share = await shareOf(sly, () => {})
    expect(share).toBeLessThanOrEqual(0.6)
    expect((await node.queue.meter(sly)).totals.retries).toBeGreaterThan(2)
  })
})

test('an attempt that the reaper gave back is charged the time for which it held its slot', async () => {
  const leaseMs = 400
  const [silent, reaper] = await Promise.all([0, 1].map(() => startNode(stage, { namespace: 'reaped', leaseMs })))
  if (silent === undefined || reaper === undefined) throw new Error('no nodes')
  silent.queue.onWork(() => true)
  const tenant = await reaper.create('t')
  await reaper.queue.admit(tenant, 'w', 'null')
  silent.queue.touch(tenant)
  const [claim] = (await silent.queue.next(1)).claims
  if (claim === undefined) throw new Error('no claim')
  await silent.queue.settle()
  const turns = new Turns(reaper, 'reaped')
  // What it was charged at the claim is in the claim's tag.
  await until(async () => {
    await reaper.queue.audit()
    await reaper.queue.settle()
    return (await reaper.queue.depth(tenant)).active === 0
  }, 5000)
  // What was kept back to travel with a round has travelled.
  await reaper.queue.audit()
  await reaper.queue.settle()
  const estimateMs = 50
  const owedMs = ((await turns.tag(tenant)) ?? 0) - claim.tag
  expect(owedMs).toBeGreaterThanOrEqual(leaseMs - estimateMs - 5)
  // The reaper looks every 250 ms.
  expect(owedMs).toBeLessThanOrEqual(leaseMs - estimateMs + 1000)
  await Promise.all([silent.stop(), reaper.stop()])
})
