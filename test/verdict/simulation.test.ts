// Error rates of the interference verdict on runs with a known truth: a small part of the table in harness/verdict/README.md,
// with fixed run seeds, by the procedure alone and by the whole verdict as it ships. `npm run bench -- verdict` has all of it.

import { describe, expect, it } from 'vitest'
import type { Outcome } from '../../harness/evidence/verdict.ts'
import { fresh } from '../../harness/recording/histogram.ts'
import { binomialAtLeast } from '../../harness/verdict/distributions.ts'
import { looks } from '../../harness/verdict/interference.ts'
import { all, cell, inputOf, one } from '../bench/verdict-cells.ts'
import { asShipped, type Procedure, procedure } from '../bench/verdict-procedures.ts'
import { calm, type Effect, type Machine, nothing, recorded, rough } from './machines.ts'

const FIRST_RUN_SEED = 1000

interface Simulated {
  by: Procedure
  machine: Machine
  limit: number
  effect: Effect
  runs: number
}

function ends({ by, machine, limit, effect, runs }: Simulated): Record<Outcome, number> {
  const counted = { pass: 0, fail: 0, inconclusive: 0 }
  const simulated = cell(machine, limit, effect, {})
  for (let run = 0; run < runs; run++) counted[by.outcome(inputOf(simulated, FIRST_RUN_SEED + run))]++
  return counted
}

/** More than this many of `runs` would come less than once in a thousand times if the rate were true. */
function atMost(rate: number, runs: number): number {
  let most = 0
  while (binomialAtLeast(most + 1, runs, rate) > 0.001) most++
  return most
}

describe(`the procedure, in runs from run seed ${FIRST_RUN_SEED}`, () => {
  const runs = 40
  const cases: ReadonlyArray<readonly [Machine, Effect, Outcome, rate: number]> = [
    [rough, nothing, 'fail', 0.01],
    [rough, all(1.2), 'fail', 0.01],
    [rough, one(1.95), 'pass', 0.05],
    [rough, one(1.95, 0.02), 'pass', 0.05],
    [calm, all(1.2), 'fail', 0.01],
    [calm, one(1.95, 0.02), 'pass', 0.05],
    [calm, nothing, 'inconclusive', 0.05],
    [calm, one(3), 'inconclusive', 0.05],
  ]
  it.each(cases.map(([machine, effect, end, rate]) => ({ machine, effect, end, rate, most: atMost(rate, runs) })))(
    `limit 1.5, $machine.name, $effect.name: at most $most of ${runs} end in $end, as a rate of $rate allows`,
    ({ machine, effect, end, most }) => {
      expect(ends({ by: procedure, machine, limit: 1.5, effect, runs })[end]).toBeLessThanOrEqual(most)
    },
  )
})

describe(`the verdict as shipped, in runs from run seed ${FIRST_RUN_SEED}`, () => {
  const shipped = (machine: Machine, limit: number, effect: Effect, runs: number) =>
    ends({ by: asShipped, machine, limit, effect, runs })

  it.each([calm, rough])('$name: an A/A run never fails, in 3; and no look at one does, in 40', (machine) => {
    expect(shipped(machine, 2, nothing, 3).fail).toBe(0)
    // A fail is a look that fails, whatever the rule about blind runs makes of the passes before it.
    const simulated = cell(machine, 2, nothing, {})
    for (let run = 0; run < 40; run++) {
      const failing = [...looks(inputOf(simulated, FIRST_RUN_SEED + run), 3, 25)].filter(
        ({ outcome }) => outcome === 'fail',
      )
      expect(failing, `run seed ${FIRST_RUN_SEED + run}`).toEqual([])
    }
  })

  it.each([calm, rough])('$name: +30 % on one tenant never passes a limit of 1.25, in 10', (machine) => {
    expect(shipped(machine, 1.25, one(1.3), 10).pass).toBe(0)
  })

  it('no stalls: a threefold p99 of one tenant is found in 19 of 20, and never passes a limit of 2', () => {
    const { fail, pass } = shipped(calm, 2, one(3), 20)
    expect(fail).toBeGreaterThanOrEqual(19)
    expect(pass).toBe(0)
  })
})

it('simulated times are those that a histogram gives back', () => {
  const histogram = fresh()
  for (const us of [0, 1, 2047, 2048, 2049, 4095, 4096, 12_345, 99_999, 1_000_001, 9_876_543]) {
    histogram.reset()
    histogram.recordValue(us)
    const { recordedValuesIterator: values } = histogram
    values.reset()
    expect(recorded(us / 1000), `${us} us`).toBe(values.next().valueIteratedTo)
  }
})
