// Reasons: ranked, and each with its numbers. Every reason of a set of hand-made evidences is walked over; one without a number
// that has a unit, or without a count, is named.

import { describe, expect, test } from 'vitest'
import type { Finding } from '../../harness/evidence/types.ts'
import type { Outcome, Precondition } from '../../harness/evidence/verdict.ts'
import { judge } from '../../harness/verdict/judge.ts'
import { judgeActs } from '../../harness/verdict/judge-acts.ts'
import { ranked, worst } from '../../harness/verdict/ranking.ts'
import type { JudgeInput } from '../../harness/verdict/types.ts'
import { heldFinding, simulateBlocks, simulateInput } from './simulate.ts'

const RUN_SEED = 7
const OUTCOMES: readonly Outcome[] = ['pass', 'inconclusive', 'fail']

describe('rank', () => {
  test('is fail before inconclusive before pass, in every mixture of up to four', () => {
    const mixtures = (length: number): Outcome[][] =>
      length === 0 ? [[]] : mixtures(length - 1).flatMap((some) => OUTCOMES.map((outcome) => [...some, outcome]))
    for (const mixture of [1, 2, 3, 4].flatMap(mixtures)) {
      const wanted = mixture.includes('fail') ? 'fail' : mixture.includes('inconclusive') ? 'inconclusive' : 'pass'
      expect(worst(mixture)).toBe(wanted)
      const told = ranked(mixture.map((outcome, i) => ({ outcome, words: `${outcome} ${i}` })))
      const places = told.map((words) => OUTCOMES.indexOf(words.split(' ')[0] as Outcome))
      expect(places).toEqual([...places].sort((x, y) => y - x))
      expect([...told].sort()).toEqual(mixture.map((outcome, i) => `${outcome} ${i}`).sort())
    }
  })

  test('of nothing is inconclusive', () => {
    expect(worst([])).toBe('inconclusive')
  })

  const finding = (is: Finding['finding']): Finding => ({ ...heldFinding, finding: is, reason: 'as it was' })
  test.each([
    [['held', 'inconclusive'], 'inconclusive'],
    [['held', 'inconclusive', 'broken'], 'fail'],
    [['not-applicable', 'held'], 'pass'],
  ] as const)('holds in the judge of acts: %j is %s', (found, outcome) => {
    const verdict = judgeActs(found.map(finding), null, false)
    expect(verdict.outcome).toBe(outcome)
    expect(verdict.reasons[0]).toContain({ pass: 'n', inconclusive: 'inconclusive', fail: 'broken' }[outcome])
  })
})

const objectives = { p99Ms: 250, successRatio: 0.99, interferenceRatio: 2, interferenceFloorMs: 0 }
const profiles = {
  quiet: { p50Ms: 5, p90Ms: 9.5, p999Ms: 40, maxMs: 30, goodSeconds: { p90Ms: 10, share: 0.85 } },
  'quiet-1': { p50Ms: 20, p90Ms: 4, maxMs: 500, goodSeconds: { p99Ms: 1, share: 0.5 }, successRatio: 0.9999 },
}
const spoilt: Precondition = { name: 'lateness', held: false, spoils: 'both', detail: 'p99 31 ms (n=50 blocks)' }
const withSeconds = (input: JudgeInput): JudgeInput => ({
  ...input,
  blocks: input.blocks.map((block) => ({
    ...block,
    tenants: block.tenants.map((window) => {
      const { offered, responseUs } = window
      return { ...window, seconds: [{ lengthUs: 800_000, offered, open: 0, responseUs }] }
    }),
  })),
})
const healthy = simulateInput({ runSeed: RUN_SEED, tenants: 2 })
const short = simulateInput({ runSeed: RUN_SEED, tenants: 2, pairs: 8 })

const evidences: Array<[string, JudgeInput]> = [
  ['healthy', healthy],
  ['a tenfold rise', simulateInput({ runSeed: RUN_SEED, tenants: 2, effect: [10, 1] })],
  ['a profile', withSeconds({ ...healthy, objectives: { ...objectives, profiles } })],
  ['a profile, few samples, never ended', withSeconds({ ...short, objectives: { ...objectives, profiles } })],
  ['a profile and no seconds', { ...short, objectives: { ...objectives, profiles } }],
  ['operations that never end', simulateInput({ runSeed: RUN_SEED, tenants: 2, unfinished: 8 })],
  ['undecided, ended early', { ...short, pairsEnded: 'the budget of 20 s was used up' }],
  ['undecided at a tight limit', { ...healthy, objectives: { ...objectives, interferenceRatio: 1.25 } }],
  [
    'blind',
    simulateInput({ runSeed: RUN_SEED, tenants: 2, sigma: 1.5 }, { objectives: { ...objectives, p99Ms: 9e3 } }),
  ],
  ['a floor', { ...healthy, objectives: { ...objectives, interferenceFloorMs: 20 } }],
  ['a dead target', { ...short, targetDied: 'exit code 137' }],
  ['a precondition that did not hold', { ...healthy, preconditions: [spoilt] }],
  ['a leak', { ...short, findings: [{ ...heldFinding, finding: 'broken', tenants: ['quiet-1'] }] }],
  ['looks that differ', { ...short, looksTaken: [{ pair: 3, outcome: 'pass' }] }],
  ['no blocks', { ...short, blocks: [] }],
  ['two pairs', { ...simulateInput({ runSeed: RUN_SEED, pairs: 2 }), pairsPlanned: 2 }],
  ['no tenants', { ...short, quietTenants: [] }],
  ['no findings', { ...short, findings: [] }],
  ['findings that do not apply', { ...short, findings: [{ ...heldFinding, finding: 'not-applicable' }] }],
  ['arrivals without an outcome', { ...short, blocks: offeredOnceMore() }],
]

function offeredOnceMore() {
  const blocks = simulateBlocks({ runSeed: RUN_SEED, tenants: 2, pairs: 8 })
  for (const window of blocks.flatMap(({ tenants }) => tenants)) {
    window.offered += 1
    window.cut = { open: 1, young: 1 }
  }
  return blocks
}

/** A share of 95 % is in almost every reason, and is no figure of its own: per cent are not asked for. */
const UNIT =
  /\d[\d,.]*(e-\d+)?[ -](ms|s|fold|pairs?|complete pairs|planned pairs|blocks?|placebo|operations|seconds|arrivals|times|tenants|quiet tenants|probes|looks|positive controls|offered|response times|planned)\b/
const COUNT = /n=\d|\d of [\d,]+|asked [\d,]+ times|\d+ (pairs|blocks|probes|looks|planned)\b/

describe(`every reason, run seed ${RUN_SEED}`, () => {
  test.each(evidences)('has a number with a unit, and a count: %s', (_, input) => {
    const verdict = judge(input)
    const told = [...verdict.reasons, ...verdict.tenants.flatMap(({ reasons }) => reasons)]
    expect(told.length).toBeGreaterThan(2)
    expect(told.filter((words) => !UNIT.test(words))).toEqual([])
    expect(told.filter((words) => !COUNT.test(words))).toEqual([])
    expect(told.filter((words) => /NaN|Infinity|undefined|null ms/.test(words))).toEqual([])
  })

  test.each([
    ['that was interrupted', [heldFinding], null, true],
    ['whose target died', [heldFinding], 'exit code 1', false],
    ['without an answer', [{ ...heldFinding, finding: 'not-applicable' as const }], null, false],
    ['without probes', [], null, false],
  ])('has them in acts too: a run %s', (_, findings, died, interrupted) => {
    const { reasons } = judgeActs(findings, died, interrupted)
    expect(reasons.length).toBeGreaterThan(0)
    expect(reasons.filter((words) => !UNIT.test(words) || !COUNT.test(words))).toEqual([])
  })

  test.each(evidences.slice(0, 6))('of an objective stands in the order of its rank: %s', (_, input) => {
    const { reasons, tenants } = judge(input)
    const objectives = tenants.flatMap((tenant) =>
      tenant.objectives.map(({ outcome }, i) => ({ outcome, words: tenant.reasons[i] ?? '' })),
    )
    expect(objectives.length).toBeGreaterThanOrEqual(4)
    const told = reasons.flatMap((reason) => objectives.find(({ words }) => words === reason)?.outcome ?? [])
    expect(told).toHaveLength(objectives.length)
    const places = told.map((outcome) => OUTCOMES.indexOf(outcome))
    expect(places).toEqual([...places].sort((x, y) => y - x))
  })
})
