// Acts: two tenants are busy for a while; then a third comes with a backlog of its own. In one act it had run something
// and then idled, in the other it is new. Neither has anything to claim for the time before.

import type { Act, Stage } from './stage.ts'

const STEP_MS = 50
const BUSY_FIRST_MS = 3000
const TOGETHER_MS = 1300

async function busy(stage: Stage) {
  return await Promise.all([1, 2].map((i) => stage.tenant(`busy-${i}`, { stepMs: STEP_MS })))
}

export const idler: Act = {
  name: 'idler',
  needs: ['tenants', 'steps', 'history'],
  async play(stage) {
    const late = await stage.tenant('late', { stepMs: STEP_MS })
    const others = await busy(stage)
    await stage.burst(late, 10)
    await stage.drained([late], 5000)
    await stage.backlogs(others.map((access) => [access, 450]))
    await stage.wait(BUSY_FIRST_MS)
    await stage.burst(late, 320)
    await stage.wait(TOGETHER_MS)
    await stage.look([...others, late])
  },
}

export const newcomer: Act = {
  name: 'newcomer',
  needs: ['tenants', 'steps', 'history'],
  async play(stage) {
    const others = await busy(stage)
    await stage.backlogs(others.map((access) => [access, 450]))
    await stage.wait(BUSY_FIRST_MS)
    const late = await stage.tenant('late', { stepMs: STEP_MS })
    await stage.burst(late, 320)
    await stage.wait(TOGETHER_MS)
    await stage.look([...others, late])
  },
}
