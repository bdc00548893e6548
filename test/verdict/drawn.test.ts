// The quick watch over drawn blocks against its definition, on simulated blocks, calm and rough, with and without what never
// ended; and the question of how far a run could see against its answer.

import { describe, expect, it } from 'vitest'
import { randomFor } from '../../harness/load/random.ts'
import { detectableRatio, detectsAtMost } from '../../harness/verdict/detectable.ts'
import { DrawnWatch } from '../../harness/verdict/drawn.ts'
import { levelsFor } from '../../harness/verdict/levels.ts'
import { armWindows, descendingMs } from '../../harness/verdict/samples.ts'
import { blocksOf, calm, type Machine, namesOf, nothing, rough } from './machines.ts'
import { simulateInput } from './simulate.ts'

const RUN_SEED = 400
const PAIRS = 25
const heavy: Machine = { ...rough, tail: 'heavy' }

const cases = [
  { machine: calm, rate: 100, limit: 2, floorMs: 0, never: 0 },
  { machine: rough, rate: 100, limit: 1.25, floorMs: 0, never: 1 },
  { machine: heavy, rate: 30, limit: 1.5, floorMs: 0, never: 0 },
  { machine: calm, rate: 100, limit: 2, floorMs: 5, never: 2 },
]

function inputOf({ machine, rate, limit, floorMs, never }: (typeof cases)[number], runSeed: number) {
  const blocks = blocksOf({ machine, effect: nothing, runSeed, pairs: PAIRS, tenants: 2, rate })
  const some = blocks.filter(({ index }) => index % 9 === 0)
  for (const window of some.flatMap(({ tenants }) => tenants)) {
    window.unfinished = never
    window.offered += never
    window.sent += never
  }
  const objectives = { p99Ms: 10_000, successRatio: 0.9, interferenceRatio: limit, interferenceFloorMs: floorMs }
  return simulateInput({ runSeed, pairs: 3 }, { blocks, objectives, quietTenants: namesOf(2), pairsPlanned: PAIRS })
}

describe.each(cases)(
  '$machine.name $machine.tail, $rate/s, limit $limit, floor $floorMs ms, $never never ended',
  (one) => {
    it(`a look at drawn blocks reaches the levels that a watch of them reaches, run seed ${RUN_SEED}`, () => {
      const { blocks, objectives, timeoutMs } = inputOf(one, RUN_SEED)
      const placebo = armWindows(blocks, 'placebo', 'quiet-1').map((window) => descendingMs([window]))
      const plan = { objectives, levels: levelsFor(PAIRS, 2), timeoutMs, samplesAtMost: 2 * PAIRS * 300 }
      const drawn = new DrawnWatch(placebo, plan)
      const random = randomFor(RUN_SEED, 'drawn blocks')
      const block = () => Math.floor(random() * placebo.length)
      const seen = { passes: 0, fails: 0 }
      // Below the pass edge, between the edges, above the fail edge.
      for (const ratio of [0.4, 1, 1.2, 1.7, 2.5, 4, 9]) {
        drawn.multiply(ratio)
        for (let run = 0; run < 10; run++) {
          drawn.forget()
          for (let k = 1; k <= PAIRS; k++) {
            drawn.add(block(), block())
            const { passes, fails } = drawn.whole().evidence()
            expect(drawn.reached(), `ratio ${ratio}, run ${run}, pair ${k}`).toEqual({ passes, fails })
            if (passes) seen.passes++
            if (fails) seen.fails++
          }
        }
      }
      expect(seen.passes).toBeGreaterThan(10)
      expect(seen.fails).toBeGreaterThan(50)
    })

    it('a run detects at most what its smallest detectable ratio is', () => {
      for (let runSeed = RUN_SEED; runSeed < RUN_SEED + 3; runSeed++) {
        const input = inputOf(one, runSeed)
        const detectable = detectableRatio(input)
        for (const most of [1, 1.5, 2, 3, 4, detectable ?? 20, (detectable ?? 20) - 0.01]) {
          expect(detectsAtMost(input, most), `${most}, run seed ${runSeed}`).toBe(
            detectable !== null && detectable <= most,
          )
        }
      }
    })
  },
)

it('draws nothing that is not there', () => {
  const plan = { levels: levelsFor(PAIRS, 1), timeoutMs: 5000, samplesAtMost: 100 }
  const { objectives } = simulateInput()
  const drawn = new DrawnWatch([Float64Array.of(3, 2, 1)], { ...plan, objectives })
  expect(() => drawn.add(0, 1)).toThrow('no pair of the blocks 0 and 1: there are 1')
})
