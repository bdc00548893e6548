// Evidence of a run that was cut, and evidence that does not fit to its own looks. An open operation is neither late nor in
// time, neither failed nor well; a look that comes out differently now spoils what rests on looks.

import { expect, test } from 'vitest'
import type { TenantWindow } from '../../harness/evidence/types.ts'
import { judge } from '../../harness/verdict/judge.ts'
import { confidenceOf } from '../../harness/verdict/objectives.ts'
import { judgeSuccess } from '../../harness/verdict/shares.ts'
import { judgePercentile } from '../../harness/verdict/slo.ts'
import { replay } from '../../harness/verdict/stopping.ts'
import { simulateInput } from './simulate.ts'

const RUN_SEED = 11
const values = (never: number, all: number) =>
  Float64Array.from({ length: all }, (_, i) => (i < never ? Number.POSITIVE_INFINITY : 5))

const alone = confidenceOf(1)
const p99 = { name: 'p99', permille: 990, limitMs: 250 }

test('operations that were cut before the SLO neither break it nor meet it', () => {
  expect(judgePercentile(values(60, 600), p99, alone).outcome).toBe('fail')
  expect(judgePercentile(values(60, 600), p99, alone, 60).outcome).toBe('inconclusive')
  expect(judgePercentile(values(0, 600), p99, alone, 0).outcome).toBe('pass')
})

test('operations that were cut after the SLO break it', () => {
  expect(judgePercentile(values(60, 600), p99, alone, 10).outcome).toBe('fail')
})

test('operations that were cut before their timeout are no failures, and no successes', () => {
  const window: TenantWindow = {
    tenant: 'quiet-1',
    offered: 600,
    sent: 600,
    ok: 540,
    failed: 0,
    unfinished: 60,
    responseUs: [],
  }
  expect(judgeSuccess([window], 0.99, alone).outcome).toBe('fail')
  expect(judgeSuccess([{ ...window, cut: { open: 60, young: 60 } }], 0.99, alone).outcome).toBe('inconclusive')
  expect(judgeSuccess([{ ...window, cut: { open: 10, young: 10 } }], 0.99, alone).outcome).toBe('fail')
})

const healthy = simulateInput({ runSeed: RUN_SEED })
const taken = replay(healthy).map(({ pair, outcome }) => ({ pair, outcome }))

test('looks that were recorded as they are replayed change nothing', () => {
  expect(judge({ ...healthy, looksTaken: taken })).toEqual(judge(healthy))
})

test.each([
  [
    'another outcome',
    taken.map((look, i) => (i === 1 ? { ...look, outcome: 'pass' } : look)),
    'look 2 was recorded as pass after pair 4',
  ],
  ['one fewer', taken.slice(0, -1), `look ${taken.length} was recorded as no look`],
  [
    'one more',
    [...taken, { pair: 26, outcome: 'pass' }],
    `look ${taken.length + 1} was recorded as pass after pair 26 and is no look`,
  ],
])(
  'a recorded look that is not the replayed one makes the verdict inconclusive and is named: %s',
  (_, looksTaken, words) => {
    const verdict = judge({ ...healthy, looksTaken })
    expect([verdict.outcome, verdict.interference.outcome]).toEqual(['inconclusive', 'inconclusive'])
    expect(verdict.reasons.join('\n')).toContain(words)
  },
)

test('looks that nobody took any more, as the pairs were ended, are no difference', () => {
  const ended = { ...healthy, looksTaken: taken.slice(0, -1), pairsEnded: 'the run was interrupted' }
  expect(judge(ended).outcome).toBe('pass')
})
