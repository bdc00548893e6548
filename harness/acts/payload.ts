// Act: a tenant sends payloads at its limit, just above it and far above it, through the API and straight into its stream.
// A tenant beside it works on, as another did before it came.

import type { Act } from './stage.ts'

const LIMIT = 65_536
const FAR_ABOVE = 1 << 20
const ROUNDS = 5

export const payload: Act = {
  name: 'payload',
  needs: ['tenants', 'steps', 'history', 'backlog', 'stream'],
  async play(stage) {
    const before = await stage.tenant('before')
    const beside = await stage.tenant('beside')
    const big = await stage.tenant('big', { maxPayloadBytes: LIMIT, stepMs: 1, concurrentRuns: 4 })
    await stage.trickle(before, 30, 40)
    const send = async () => {
      for (let round = 0; round < ROUNDS; round++) {
        const sizes = [LIMIT, LIMIT, LIMIT, LIMIT, LIMIT + 200, LIMIT + 200, FAR_ABOVE]
        await Promise.all(sizes.map((bytes) => stage.startSized(big, bytes)))
        const fields = big.stream?.fields ?? {}
        const written = await stage.writeSized(big, [fields, fields, fields, fields], LIMIT + 1)
        stage.mark(big, 'written', written + (await stage.writeSized(big, [fields], FAR_ABOVE)))
        await stage.wait(50)
      }
    }
    await Promise.all([send(), stage.trickle(beside, 40, 40)])
    await stage.drained([before, beside, big], 6000)
    await stage.look([before, beside, big])
  },
}
