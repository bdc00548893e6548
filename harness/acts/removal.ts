// Act: a tenant is removed while its runs are in flight and others wait, and its id is taken again at once. Nothing of the
// first may turn up in the second, now or when the late results come.

import type { Act } from './stage.ts'

const STEP_MS = 700

export const removal: Act = {
  name: 'removal',
  needs: ['tenants', 'steps', 'history', 'backlog'],
  async play(stage) {
    const role = { stepMs: STEP_MS, concurrentRuns: 3 }
    const first = await stage.tenant('first', role)
    await stage.burst(first, 6)
    await stage.wait(200)
    await stage.look([first])
    await stage.target.remove(first)
    stage.mark(first, 'removed', 0)
    const again = { ...(await stage.tenant('first', role)), label: 'second' }
    await stage.wait(2 * STEP_MS + 500)
    await stage.look([again])
    stage.mark(again, 'backlog', (await stage.target.backlog(again)) ?? 0)
    await stage.burst(again, 3)
    await stage.drained([again], 6000)
    await stage.look([again])
  },
}
