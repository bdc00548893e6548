// Act: a sparse tenant beside 1, then 4, then 16 tenants that have the same work waiting between them. What it waits may not
// grow with their number.

import type { Act } from './stage.ts'

const STEP_MS = 20
/** Work for about 2 s on 8 slots, whoever has it. */
const BACKLOG = 720
const CROWDS = [1, 4, 16] as const

export const crowd: Act = {
  name: 'crowd',
  needs: ['tenants', 'steps', 'history', 'backlog'],
  async play(stage) {
    const all = []
    for (const size of CROWDS) {
      const sparse = await stage.tenant(`beside-${size}`, { stepMs: STEP_MS })
      const noisy = []
      for (let i = 1; i <= size; i++) noisy.push(await stage.tenant(`noisy-${i}-of-${size}`, { stepMs: STEP_MS }))
      await stage.backlogs(noisy.map((access) => [access, BACKLOG / size]))
      await stage.trickle(sparse, 25, 50)
      await stage.drained([sparse, ...noisy], 6000)
      all.push(sparse, ...noisy)
    }
    await stage.look(all)
  },
}
