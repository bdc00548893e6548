// What a verdict says of an early end, and of what would have decided an undecided run. The estimates are held against fresh
// runs of the same truth, so that they are no mere words.

import { describe, expect, test } from 'vitest'
import type { ObjectiveVerdict } from '../../harness/evidence/verdict.ts'
import { randomFor } from '../../harness/load/random.ts'
import { decidingLimits, furtherPairs } from '../../harness/verdict/further.ts'
import { lookAt, looks } from '../../harness/verdict/interference.ts'
import { judge } from '../../harness/verdict/judge.ts'
import { FIRST_LOOK } from '../../harness/verdict/levels.ts'
import { decidedBy, needed } from '../../harness/verdict/needed.ts'
import { confidenceOf } from '../../harness/verdict/objectives.ts'
import { judgeSuccess } from '../../harness/verdict/shares.ts'
import { simulateInput } from './simulate.ts'

const RUN_SEED = 7
const ended = 'the budget of 20 s was used up'

const interferenceOf = (input: Parameters<typeof judge>[0]) =>
  judge(input).reasons.find((words) => words.startsWith('interference:')) ?? ''

describe(`the reason of the interference, run seed ${RUN_SEED}`, () => {
  test('says of an early end what was needed and what was saved: 2 s of blocks a pair', () => {
    const input = simulateInput({ runSeed: RUN_SEED, effect: [10] })
    const words = interferenceOf(input)
    const [, pair = 0, needed = 0, saved = 0, seconds = 0] =
      /after pair (\d+) of 25 planned pairs \((\d+) s of blocks needed; (\d+) pairs, (\d+) s of blocks, saved\)/
        .exec(words)
        ?.map(Number) ?? []
    expect(pair).toBeGreaterThanOrEqual(FIRST_LOOK)
    expect([needed, saved, seconds]).toEqual([2 * pair, 25 - pair, 2 * (25 - pair)])
  })

  test('says of an undecided run how many further pairs and which limit, the same each time it is asked', () => {
    const input = simulateInput({ runSeed: RUN_SEED, pairs: 8 }, { pairsEnded: ended })
    const words = interferenceOf(input)
    expect(words).toMatch(
      /^interference: undecided against the limit of 2 after 8 of 25 planned pairs; about 17 further pairs \(25 planned, 34 s of blocks more\) would have decided \d+ % of 100 resampled runs, most of them as pass; these n=8 pairs would have passed/,
    )
    expect(interferenceOf(structuredClone(input))).toBe(words)
  })

  test('says of too few pairs that they are too few', () => {
    expect(interferenceOf(simulateInput({ runSeed: RUN_SEED, pairs: 2 }, { pairsEnded: ended }))).toContain(
      'n=2 complete pairs are too few',
    )
    expect(furtherPairs(simulateInput({ runSeed: RUN_SEED, pairs: 2 }))).toBeNull()
  })
})

describe('the plan that would have been enough', () => {
  const FRESH = 40
  const decided = (pairsPlanned: number, effect: number[]) => {
    let count = 0
    for (let runSeed = 500; runSeed < 500 + FRESH; runSeed++) {
      const fresh = simulateInput({ runSeed, pairs: pairsPlanned, tenants: 2, effect }, { pairsPlanned })
      for (const { outcome } of looks(fresh, FIRST_LOOK, pairsPlanned)) {
        if (outcome === 'inconclusive') continue
        count++
        break
      }
    }
    return count / FRESH
  }

  test(`decides at least 80 % of ${FRESH} fresh runs from run seed 500 of the same truth, with and without a rise`, () => {
    for (const effect of [[], [4, 1]]) {
      const input = simulateInput({ runSeed: RUN_SEED, pairs: 6, tenants: 2, effect })
      const further = furtherPairs(input)
      expect(further?.plan?.decided).toBeGreaterThanOrEqual(0.8)
      expect(further?.plan?.mostly).toBe(effect.length === 0 ? 'pass' : 'fail')
      expect(decided(further?.plan?.pairs ?? 0, effect)).toBeGreaterThanOrEqual(0.8)
    }
  })

  test('is never one of more pairs than a scenario may plan, nor one that the run had already', () => {
    const long = furtherPairs(simulateInput({ runSeed: RUN_SEED, pairs: 100, tenants: 1 }, { pairsPlanned: 100 }))
    expect(long?.largest.pairs).toBe(200)
    const plan = furtherPairs(simulateInput({ runSeed: RUN_SEED, tenants: 1, effect: [2.3] }))?.plan?.pairs ?? 26
    expect(plan).toBeGreaterThan(25)
  })
})

test('the limits that would have been decided are decided so by the same pairs, and not 6 % further in', () => {
  const runs = Array.from({ length: 30 }, (_, i) =>
    simulateInput({ runSeed: i + 1, tenants: 2, pairs: 14, effect: [1.7, 1.5] }),
  )
  const undecided = runs.filter((run) => lookAt(run, 14).outcome === 'inconclusive')
  expect(undecided.length).toBeGreaterThan(0)
  for (const input of undecided) {
    const at = (interferenceRatio: number) =>
      lookAt({ ...input, objectives: { ...input.objectives, interferenceRatio } }, 14).outcome
    const { passedFrom, failedUpTo } = decidingLimits(input, 14)
    expect([at(passedFrom ?? 0), at(failedUpTo ?? 0)]).toEqual(['pass', 'fail'])
    expect([at((passedFrom ?? 0) / 1.06), at((failedUpTo ?? 0) * 1.06)]).toEqual(['inconclusive', 'inconclusive'])
    expect(passedFrom).toBeGreaterThan(2)
    expect(failedUpTo).toBeLessThan(2)
  }
})

describe('further operations', () => {
  const objective = (bad: number, all: number, family = 8): ObjectiveVerdict => {
    const window = { tenant: 'x', offered: all, sent: all, ok: all - bad, failed: bad, unfinished: 0, responseUs: [] }
    return judgeSuccess([window], 0.99, confidenceOf(family))
  }

  test('are those to 299 where none was bad: as many as a share of 0.99 wants', () => {
    expect(objective(0, 200).outcome).toBe('inconclusive')
    const more = needed(objective(0, 200), 0.01)?.more ?? 0
    expect(200 + more).toBeGreaterThanOrEqual(299)
    expect(200 + more).toBeLessThanOrEqual(299 * 1.03)
  })

  const DRAWS = 400
  test.each([
    [2, 600],
    [9, 1500],
    [24, 1500],
  ])(`decide as often as is said: %i bad of %i, ${DRAWS} draws of run seed ${RUN_SEED}`, (bad, all) => {
    const judged = objective(bad, all)
    expect(judged.outcome).toBe('inconclusive')
    const { more, probability } = needed(judged, 0.01) ?? { more: 0, probability: 0 }
    const random = randomFor(RUN_SEED, `bad ${bad} of ${all}`)
    let decided = 0
    for (let draw = 0; draw < DRAWS; draw++) {
      let drawn = 0
      for (let i = 0; i < all + more; i++) if (random() < bad / all) drawn++
      if (objective(drawn, all + more).outcome !== 'inconclusive') decided++
    }
    const question = { rate: bad / all, permitted: 0.01, confidence: confidenceOf(8) }
    const exact = decidedBy(all + more, question)
    expect(exact).toBeGreaterThanOrEqual(probability)
    // Four standard errors of a share of 0.95 in 400 draws.
    expect(Math.abs(decided / DRAWS - exact)).toBeLessThan(4 * Math.sqrt((0.95 * 0.05) / DRAWS))
  })

  test('are not to be had where the share is the one permitted, nor for a share of 1', () => {
    expect(needed(objective(10, 1000), 0.01)).toBeNull()
    expect(needed(objective(1, 1000), 0)).toBeNull()
    expect(needed(objective(0, 0), 0.01)).toBeNull()
  })
})
