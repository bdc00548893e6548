// Act: the target is killed while more than a thousand runs of one tenant are in flight, which is more than any one look at
// what is pending takes in. A tenant that had nothing to do with it works from then on.

import type { Act } from './stage.ts'

const PENDING = 1300

export const pending: Act = {
  name: 'pending',
  slots: PENDING + 100,
  needs: ['tenants', 'steps', 'history', 'backlog', 'crash'],
  async play(stage) {
    const piled = await stage.tenant('piled', { stepMs: 4000, concurrentRuns: PENDING })
    const quiet = await stage.tenant('quiet')
    await stage.burst(piled, PENDING)
    await stage.wait(300)
    await stage.target.crash?.()
    stage.mark(piled, 'killed', 0)
    await stage.trickle(quiet, 60, 100)
    await stage.drained([piled, quiet], 20_000)
    await stage.look([piled, quiet])
  },
}
