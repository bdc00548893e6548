// Act: one tenant asks for more starts than a minute holds: at once over many connections, then straight on past the
// minute's edge, where a limiter that counts by the clock's minute forgets. Its twin stays within the same limit.

import type { Act } from './stage.ts'

const LIMIT = 20
const MINUTE_MS = 60_000
/** The burst must be over before the edge, and all of it within one minute of the first start. */
const BEFORE_EDGE_MS = 1500
const AFTER_EDGE_MS = 3000
const PAST_EDGE_MS = 600
const AGAIN_MS = 250

const toEdgeMs = () => MINUTE_MS - (Date.now() % MINUTE_MS)

export const rate: Act = {
  name: 'rate',
  beside: true,
  needs: ['tenants'],
  async play(stage) {
    const role = { startsPerMinute: LIMIT, concurrentRuns: 4, stepMs: 1 }
    const twin = await stage.tenant('twin', role)
    const eager = await stage.tenant('eager', role)
    while (toEdgeMs() < BEFORE_EDGE_MS || toEdgeMs() > MINUTE_MS - AFTER_EDGE_MS) await stage.wait(100)
    const end = performance.now() + toEdgeMs() + PAST_EDGE_MS
    await stage.burst(twin, LIMIT / 2)
    await stage.burst(eager, 2 * LIMIT)
    while (performance.now() < end) {
      await stage.wait(AGAIN_MS)
      await stage.start(eager)
    }
    await stage.burst(eager, LIMIT)
    await stage.burst(twin, LIMIT / 2)
  },
}
