// Act: the consumer group of one tenant's stream is lost while its runs wait, as by an operator's mistake or an eviction.
// Then it goes on starting runs. Its neighbour works all the while.

import type { Act } from './stage.ts'

export const lostGroup: Act = {
  name: 'lost-group',
  needs: ['tenants', 'steps', 'history', 'backlog', 'groups'],
  async play(stage) {
    const loser = await stage.tenant('loser', { stepMs: 30, concurrentRuns: 2 })
    const neighbour = await stage.tenant('neighbour', { stepMs: 5 })
    await stage.burst(loser, 60)
    stage.mark(loser, 'groups lost', (await stage.target.loseGroups?.(loser)) ?? 0)
    await stage.trickle(neighbour, 20, 50)
    await stage.burst(loser, 10)
    await stage.drained([loser, neighbour], 6000)
    await stage.look([loser, neighbour])
  },
}
