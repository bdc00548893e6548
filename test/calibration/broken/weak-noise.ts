// H5: a noisy tenant that the generator holds back in silence: a tenth of the noise is ordered, or a tenth of what is said to
// have been sent is.

import type { Crew } from '../../../harness/run/crew.ts'
import { type Broken, instead } from './broken.ts'

const noiseOf = <T extends Crew>(crew: T, block: (before: Crew['noise']) => Crew['noise']['block']): T => {
  return Object.assign(crew, { noise: { ...crew.noise, block: block(crew.noise) } })
}

export const weakNoise: Broken[] = [
  {
    id: 'H5',
    what: 'noise makers that are told a tenth of the noise',
    instruments: () =>
      instead({
        crew: (crew) =>
          noiseOf(crew, (before) => async (arm, time) => {
            const share = arm === 'noise' ? 0.1 : 1
            await before.block(arm, { ...time, lengthMs: time.lengthMs * share })
          }),
      }),
    says: 'precondition noise-as-planned-noise did not hold, so a latency pass is inconclusive: api: 840 ordered, where 7 blocks of 1200 want 8400',
  },
  {
    id: 'H5',
    what: 'noise makers that send a tenth of what they say',
    instruments: () =>
      instead({
        crew: (crew) =>
          noiseOf(crew, (before) => async (arm, time) => {
            await before.block(arm, time)
            const { api } = before.tally.placebo.makers
            if (api) api.sinkSeen = api.sent / 10
          }),
      }),
    says: 'precondition noise-delivered-placebo did not hold, so latency findings are inconclusive: api: 8400 of 8400 sent, 8400 answered, 0 errors, 840 seen by the sink',
  },
]
