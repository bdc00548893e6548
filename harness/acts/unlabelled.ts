// Act: a tenant's stream is flooded with entries that say nothing of where they come from, and with entries of which no run
// can come, between runs that were admitted by the API. A neighbour works on.

import type { Act } from './stage.ts'

const CAP = 3
const ROUNDS = 10
const BARE = 20
const MALFORMED = 120

export const unlabelled: Act = {
  name: 'unlabelled',
  needs: ['tenants', 'steps', 'history', 'backlog', 'stream'],
  async play(stage) {
    const flooded = await stage.tenant('flooded', { stepMs: 10, concurrentRuns: CAP })
    const neighbour = await stage.tenant('neighbour')
    const { bare = {}, malformed = [] } = flooded.stream ?? {}
    const nothing = [{ x: '1' }, ...malformed]
    const flood = Array.from({ length: BARE + MALFORMED }, (_, i) => {
      return i % 7 === 0 ? bare : (nothing[i % nothing.length] ?? {})
    })
    const send = async () => {
      for (let round = 0; round < ROUNDS; round++) {
        await stage.burst(flooded, 4)
        const written = await stage.write(flooded, flood)
        stage.mark(flooded, 'bare', written === flood.length ? flood.filter((entry) => entry === bare).length : 0)
        stage.mark(flooded, 'malformed', written === flood.length ? flood.filter((entry) => entry !== bare).length : 0)
      }
    }
    await Promise.all([send(), stage.trickle(neighbour, 25, 60)])
    await stage.drained([flooded, neighbour], 8000)
    await stage.look([flooded, neighbour])
  },
}
