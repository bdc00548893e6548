// H7: an exception that nobody hears of. Every third question of the prober throws, and is caught by an empty hand; the
// generator's connections throw, which it counts and goes on.

import { type Broken, instead } from './broken.ts'

export const swallowedError: Broken[] = [
  {
    id: 'H7',
    what: 'a prober that swallows what its questions throw',
    instruments: () =>
      instead({
        crew: (crew) => {
          const { prober } = crew
          return Object.assign(crew, { prober: { ...prober, take: () => prober.take().filter((_, i) => i % 3 > 0) } })
        },
      }),
    says: /precondition questions-asked did not hold.* 0 ended by an error of ours, 0 still open, and \d+ are unaccounted for/,
  },
  {
    id: 'H7',
    what: 'connections of the generator that throw while they read answers',
    instruments: () =>
      instead({
        crew: (crew) => {
          const { generator } = crew
          const thrown = { times: 3, first: 'TypeError: body is undefined' }
          const collect: typeof generator.collect = async (...args) => ({
            ...(await generator.collect(...args)),
            thrown,
          })
          return Object.assign(crew, { generator: { collect } })
        },
      }),
    says: /precondition nothing-thrown did not hold.*the generator threw \d+ times, the first: TypeError: body is undefined/,
  },
]
