// When a tenant that waits for a time gets its turn: by the time itself, not by the audit, which no test here lets run.

import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Claim } from '../../../engine/queue/queue.ts'
import type { TenantId } from '../../../engine/tenant.ts'
import { type Node, type Stage, startNode, startStage, until } from '../stage.ts'

let stage: Stage
let node: Node
beforeEach(async () => {
  stage = await startStage()
  node = await startNode(stage)
  node.queue.onWork(() => true)
})
afterEach(async () => {
  await node.stop()
  await stage.stop()
})

async function claimed(tenant: TenantId): Promise<Claim> {
  let claim: Claim | undefined
  await until(async () => {
    claim = (await node.queue.next(1)).claims[0]
    return claim !== undefined
  }, 5000)
  if (claim?.tenant !== tenant) throw new Error(`a run of ${tenant} was due, not of ${claim?.tenant}`)
  return claim
}

/** One run, whose first attempt fails by itself. */
async function failedOnce(tenant: TenantId, afterMs: number): Promise<void> {
  await node.queue.admit(tenant, 'w', 'null')
  node.queue.touch(tenant)
  const claim = await claimed(tenant)
  void node.queue.complete(claim, { status: 'retry', error: 'not yet', attemptsMax: 2, afterMs })
  await node.queue.settle()
}

test('a retry that is due later begins at its time, told by the turn that settled it', async () => {
  const tenant = await node.create('later')
  await failedOnce(tenant, 200)
  expect((await claimed(tenant)).attempt).toBe(2)
})

test('a tenant that is due in 0.2 s does not wait for one that is due in an hour', async () => {
  const far = await node.create('far')
  const near = await node.create('near')
  await failedOnce(far, 3_600_000)
  // Its turn in which it is parked, and the round that tells so.
  for (let i = 0; i < 3; i++) await node.queue.next(1)
  await node.queue.settle()
  await failedOnce(near, 200)
  expect((await claimed(near)).attempt).toBe(2)
})
