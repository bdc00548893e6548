// Act: a tenant with room for a few runs at a time is given many at once, again and again, after some of its runs were
// ended by their deadline: a slot that is given back twice, or checked before it is taken, shows as one run too many.

import type { Act } from './stage.ts'

const CAP = 3

export const cap: Act = {
  name: 'cap',
  needs: ['tenants', 'steps', 'history', 'backlog'],
  async play(stage) {
    const many = await stage.tenant('many', {
      concurrentRuns: CAP,
      maxRunMs: 500,
      stepMs: 40,
      workflows: [{ name: 'overlong', does: 'sleep', ms: 5000 }],
    })
    await stage.burst(many, 2 * CAP, 'overlong')
    await stage.drained([many], 6000)
    for (let round = 0; round < 3; round++) {
      await stage.burst(many, 8 * CAP)
      await stage.wait(30)
    }
    await stage.drained([many], 8000)
    await stage.look([many])
  },
}
