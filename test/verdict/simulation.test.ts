// Error rates of the interference verdict on runs with a known truth: a small part of the table in the procedure,
// stable machine only. The figures in full take a bench.

import { expect, it } from 'vitest'
import type { Outcome } from '../../harness/evidence/verdict.ts'
import { looks } from '../../harness/verdict/interference.ts'
import { FIRST_LOOK } from '../../harness/verdict/levels.ts'
import type { JudgeInput } from '../../harness/verdict/types.ts'
import { simulateInput } from './simulate.ts'

const RUNS = 60
const FIRST_RUN_SEED = 1000

/** The first look that is not inconclusive, as the procedure was simulated: without the rule about blind runs. */
function decided(input: JudgeInput): Outcome {
  for (const { outcome } of looks(input, FIRST_LOOK, input.pairsPlanned)) if (outcome !== 'inconclusive') return outcome
  return 'inconclusive'
}

function outcomes(effect: number[]): Record<Outcome, number> {
  const counted = { pass: 0, fail: 0, inconclusive: 0 }
  for (let run = 0; run < RUNS; run++) {
    counted[decided(simulateInput({ runSeed: FIRST_RUN_SEED + run, effect }))]++
  }
  return counted
}

const seeds = `${RUNS} runs from run seed ${FIRST_RUN_SEED}`

it(`no effect: 0 fails and at least 85 % pass at a limit of 2, ${seeds}`, () => {
  const counted = outcomes([])
  expect(counted.fail).toBe(0)
  expect(counted.pass).toBeGreaterThanOrEqual(0.85 * RUNS)
})

it(`a fourfold rise of one tenant: at least 95 % fail, ${seeds}`, () => {
  expect(outcomes([1, 4]).fail).toBeGreaterThanOrEqual(0.95 * RUNS)
})

it(`the worst tenant at 1.3 times the limit: at most 5 % pass, ${seeds}`, () => {
  expect(outcomes([1, 1, 1, 2.6]).pass).toBeLessThanOrEqual(0.05 * RUNS)
})

it(`every tenant at 0.8 times the limit: at most 1 of ${RUNS} fails, ${seeds}`, () => {
  expect(outcomes([1.6, 1.6, 1.6, 1.6]).fail).toBeLessThanOrEqual(1)
})
