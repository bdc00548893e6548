// Act: runs that hang, that burn CPU, and that end only after their deadline, beside a tenant whose runs take a moment.
// The runs are looked at twice: after their deadlines, and again when even the longest late result has come.

import type { Act } from './stage.ts'

const LIMIT_MS = 400
const CAP = 4

export const deadline: Act = {
  name: 'deadline',
  needs: ['tenants', 'steps', 'history'],
  async play(stage) {
    const brief = await stage.tenant('brief')
    const overlong = await stage.tenant('overlong', {
      concurrentRuns: CAP,
      maxRunMs: LIMIT_MS,
      workflows: [
        { name: 'hang', does: 'sleep', ms: 20_000 },
        { name: 'late', does: 'sleep', ms: 2000 },
        { name: 'spin', does: 'compute', ms: 4000 },
      ],
    })
    await stage.burst(overlong, 4)
    await stage.burst(overlong, 3, 'late')
    await stage.burst(overlong, 1, 'spin')
    await stage.burst(overlong, 12, 'hang')
    await stage.trickle(brief, 20, 70)
    await stage.look([overlong, brief])
    await stage.trickle(brief, 30, 90)
    await stage.wait(200)
    await stage.look([overlong, brief])
  },
}
