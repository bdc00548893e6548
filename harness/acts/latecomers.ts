// Acts: several tenants are busy for a while; then another comes with a backlog of its own. In one act it had run something
// and then idled, in the other it is new. Neither has anything to claim for the time before. They are many, and their runs
// take different times, so that places become free one by one: whoever gives out several at once gives one to each.

import type { TenantAccess } from '../target/port.ts'
import type { Act, Stage } from './stage.ts'

const STEP_MS = 50
const BUSY = 6
const BUSY_FIRST_MS = 3000
const TOGETHER_MS = 1300
/** Each busy tenant's: more than all of them get done while the act lasts. */
const BACKLOG = 220
const LATE_BACKLOG = 320

async function busy(stage: Stage): Promise<TenantAccess[]> {
  const numbers = Array.from({ length: BUSY }, (_, i) => i + 1)
  return await Promise.all(numbers.map((i) => stage.tenant(`busy-${i}`, { stepMs: STEP_MS - 14 + 5 * i })))
}

async function beBusy(stage: Stage, others: readonly TenantAccess[]): Promise<void> {
  await stage.backlogs(others.map((access) => [access, BACKLOG]))
  await stage.wait(BUSY_FIRST_MS)
}

async function comeLate(stage: Stage, others: readonly TenantAccess[], late: TenantAccess): Promise<void> {
  await stage.burst(late, LATE_BACKLOG)
  await stage.wait(TOGETHER_MS)
  await stage.look([...others, late])
}

export const idler: Act = {
  name: 'idler',
  needs: ['tenants', 'steps', 'history'],
  async play(stage) {
    const late = await stage.tenant('late', { stepMs: STEP_MS })
    const others = await busy(stage)
    await stage.burst(late, 10)
    await stage.drained([late], 5000)
    await beBusy(stage, others)
    await comeLate(stage, others, late)
  },
}

export const newcomer: Act = {
  name: 'newcomer',
  needs: ['tenants', 'steps', 'history'],
  async play(stage) {
    const others = await busy(stage)
    await beBusy(stage, others)
    await comeLate(stage, others, await stage.tenant('late', { stepMs: STEP_MS }))
  },
}
