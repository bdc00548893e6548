// A weight that is changed while two tenants have work waiting: from the next turns on the shares are the new ones. One
// run a turn, all of them as long, so that turns are shares.

import { expect, test } from 'vitest'
import type { TenantId } from '../../../engine/tenant.ts'
import { sharedNode } from '../shared.ts'

const { node } = await sharedNode()

/** Of so many runs, one after the other, those of the tenant. */
async function runsOf(tenant: TenantId, runs: number): Promise<number> {
  let [all, own] = [0, 0]
  for (let calls = 0; all < runs && calls < 10 * runs; calls++) {
    for (const claim of (await node.queue.next(1)).claims) {
      all++
      if (claim.tenant === tenant) own++
      // No slot time of its own: what is left is the charge of a turn, the same for every run.
      void node.queue.complete(claim, { status: 'done', output: null, tookMs: 0 })
    }
  }
  expect(all).toBe(runs)
  return own
}

test('a changed weight changes the shares of tenants that wait, from the next turns on', async () => {
  node.queue.onWork(() => true)
  const [changed, same] = [await node.create('changed'), await node.create('same')]
  for (const tenant of [changed, same]) {
    for (let i = 0; i < 500; i++) await node.queue.admit(tenant, 'w', 'null')
    node.queue.touch(tenant)
  }
  // What a run takes is learnt first.
  await runsOf(changed, 50)
  const equal = await runsOf(changed, 200)
  await node.relimit(changed, { weight: 3 })
  const three = await runsOf(changed, 200)
  await node.relimit(changed, { weight: 1 })
  const equalAgain = await runsOf(changed, 200)
  console.log(`of 200 runs each: ${equal} with weight 1, ${three} with 3, ${equalAgain} with 1 again`)
  for (const [runs, fair] of [
    [equal, 100],
    [three, 150],
    [equalAgain, 100],
  ] as const) {
    expect(Math.abs(runs - fair)).toBeLessThanOrEqual(10)
  }
})
