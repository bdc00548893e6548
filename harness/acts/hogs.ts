// Act: tenants with equal weights wait in line, one of them with runs ten times as long; a sparse tenant sends a run now
// and then. Whose turns are counted in runs gives the long ones most of the time; whose line is one gives the sparse none.

import type { Act } from './stage.ts'

const SHORT_MS = 20
const LONG_MS = 200

export const hogs: Act = {
  name: 'hogs',
  needs: ['tenants', 'steps', 'history'],
  async play(stage) {
    const sparse = await stage.tenant('sparse', { stepMs: SHORT_MS })
    const long = await stage.tenant('long', { stepMs: LONG_MS })
    const short = await Promise.all([1, 2, 3].map((i) => stage.tenant(`short-${i}`, { stepMs: SHORT_MS })))
    const backlogs = stage.backlogs([long, ...short].map((access) => [access, access === long ? 60 : 450]))
    await stage.trickle(sparse, 50, 60)
    await backlogs
    await stage.drained([sparse, ...short], 3000)
    await stage.look([sparse, long, ...short])
  },
}
