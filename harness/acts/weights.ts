// Act: three tenants wait in line with the weights 1, 2 and 4.

import type { Act } from './stage.ts'

export const weights: Act = {
  name: 'weights',
  needs: ['tenants', 'steps', 'history', 'weights'],
  async play(stage) {
    const accesses = await Promise.all(
      [1, 2, 4].map((weight) => stage.tenant(`weight-${weight}`, { weight, stepMs: 30 })),
    )
    await stage.backlogs(accesses.map((access) => [access, 400]))
    await stage.wait(2500)
    await stage.look(accesses)
  },
}
