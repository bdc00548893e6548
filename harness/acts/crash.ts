// Act: the target is killed while runs are in flight, and comes back. What was admitted still has to be done, and the
// slots that the dead process held have to come back.

import type { Act } from './stage.ts'

export const crash: Act = {
  name: 'crash',
  needs: ['tenants', 'steps', 'history', 'backlog', 'crash'],
  async play(stage) {
    const capped = await stage.tenant('capped', { stepMs: 300, concurrentRuns: 3 })
    const other = await stage.tenant('other', { stepMs: 100, concurrentRuns: 2 })
    await Promise.all([stage.burst(capped, 15), stage.burst(other, 10)])
    await stage.wait(250)
    await stage.target.crash?.()
    stage.mark(capped, 'killed', 0)
    await stage.drained([capped, other], 14_000)
    await stage.look([capped, other])
  },
}
