// Act: every run of one tenant fails and asks to be tried again, many more times than its starts a minute allow; every run
// of another fails and is given up after two attempts. A third tenant works beside them.

import type { Act } from './stage.ts'

const LIMIT = 12

export const poison: Act = {
  name: 'poison',
  needs: ['tenants', 'steps', 'history', 'backlog'],
  async play(stage) {
    const fails = (attempts: number) => [
      { name: 'fail', does: 'fail' as const, ms: 1, retry: { attempts, backoffMs: 5 } },
    ]
    const storm = await stage.tenant('storm', { startsPerMinute: LIMIT, workflows: fails(8) })
    const poisoned = await stage.tenant('poisoned', { workflows: fails(2) })
    const neighbour = await stage.tenant('neighbour')
    await Promise.all([
      stage.burst(storm, LIMIT / 2, 'fail'),
      stage.burst(poisoned, 20, 'fail'),
      stage.trickle(neighbour, 25, 80),
    ])
    await stage.drained([poisoned, neighbour], 4000)
    await stage.look([storm, poisoned, neighbour])
  },
}
