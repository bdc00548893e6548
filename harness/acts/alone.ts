// Act: three tenants work together, then one of them alone. What the others leave is his to use.

import type { Act } from './stage.ts'

const STEP_MS = 50

export const alone: Act = {
  name: 'alone',
  needs: ['tenants', 'steps', 'history', 'backlog'],
  async play(stage) {
    const accesses = await Promise.all([1, 2, 3].map((i) => stage.tenant(`one-of-3-${i}`, { stepMs: STEP_MS })))
    await stage.backlogs(accesses.map((access) => [access, 60]))
    await stage.drained(accesses, 6000)
    const only = await stage.tenant('alone', { stepMs: STEP_MS })
    await stage.burst(only, 160)
    await stage.drained([only], 6000)
    await stage.look([...accesses, only])
  },
}
