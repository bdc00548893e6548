// H6: a baseline that is taken under load. The placebo's noise goes to the target too; or the noise does not stop.

import type { NoiseTime } from '../../../harness/run/noise-crew.ts'
import { type Broken, instead } from './broken.ts'

export const loudBaseline: Broken[] = [
  {
    id: 'H6',
    what: 'a placebo that is sent to the target',
    instruments: () =>
      instead({
        crew: (crew) => {
          const { noise } = crew
          return Object.assign(crew, {
            noise: { ...noise, block: (_: unknown, time: NoiseTime) => noise.block('noise', time) },
          })
        },
      }),
    says: 'precondition noise-as-planned-placebo did not hold, so latency findings are inconclusive: api: 0 ordered, where 7 blocks of 1200 want 8400',
  },
  {
    id: 'H6',
    what: 'noise that goes on in the placebo blocks',
    instruments: () =>
      instead({
        crew: (crew) => {
          const { target, noise } = crew
          let isLeft = false
          return Object.assign(crew, {
            noise: {
              ...noise,
              block: async (...args: Parameters<typeof noise.block>) => {
                await noise.block(...args)
                isLeft = true
              },
            },
            // What the target holds of the noisy tenant at the first question; it is drained by the second.
            target: {
              ...target,
              backlog: async () => {
                const runs = isLeft ? 20 : 0
                isLeft = false
                return runs
              },
            },
          })
        },
      }),
    says: 'precondition placebo-quiet did not hold, so a latency pass is inconclusive: runs of the noisy tenant were at the target after 7 of 7 placebo blocks, at most 20',
  },
]
