import { describe, expect, test } from 'vitest'
import { equalTenantsGetEqualShares } from '../../harness/probes/equal-tenants-get-equal-shares.ts'
import { idleTimeBanksNoCredit, newcomersDoNotStarveOthers } from '../../harness/probes/latecomers-claim-nothing.ts'
import { mostAtOnce, slotMs } from '../../harness/probes/slot-time.ts'
import { spareCapacityIsUsed } from '../../harness/probes/spare-capacity-is-used.ts'
import { sparseTenantsDoNotWaitForBacklogs } from '../../harness/probes/sparse-tenants-do-not-wait-for-backlogs.ts'
import { timeHogsWaitTheirTurn } from '../../harness/probes/time-hogs-wait-their-turn.ts'
import { weightsShareInProportion } from '../../harness/probes/weights-share-in-proportion.ts'
import { run, tenant, times, worked } from './act-evidence.ts'

const names = ['short-1', 'short-2', 'short-3']
const hogs = [tenant('long', { declaredMs: { work: 200 } }), ...names.map((name) => tenant(name))]
/** Four tenants on 8 slots; what each has of them is given. */
const shared = (long: number, shorts: readonly [number, number, number]) => [
  ...hogs,
  ...worked('long', 40, { slots: long, eachMs: 200 }),
  ...names.flatMap((name, i) => worked(name, 400, { slots: shorts[i] ?? 1, eachMs: 20 })),
]

test('slot time is what lies in the span, of a run that goes on up to its end', () => {
  const runs = [run('a', [0, 10, 30]), run('a', [0, 20, null])].map((r) => ({ ...r, startedMs: r.startedMs ?? 0 }))
  expect(slotMs(runs, { fromMs: 20, toMs: 50 })).toBe(40)
  expect(mostAtOnce(runs)).toMatchObject({ most: 2, atMs: 20 })
})

describe('time-hogs-wait-their-turn', () => {
  const judge = timeHogsWaitTheirTurn.judge

  test('a fair quarter for long runs: held', () => {
    const finding = judge(shared(2, [2, 2, 2]))
    expect(finding.finding).toBe('held')
    expect(finding.reason).toContain('long 25.0 %')
    expect(finding.opportunities).toBeGreaterThan(200)
  })

  test('half of the time for long runs: broken', () => {
    const finding = judge(shared(6, [2, 2, 2]))
    expect(finding).toMatchObject({ finding: 'broken', tenants: ['long'] })
    expect(finding.reason).toContain('2.00 times its fair share')
  })

  test('a little more than its share, or no common time: inconclusive', () => {
    expect(judge(shared(5, [2, 2, 2])).finding).toBe('inconclusive')
    const late = shared(2, [2, 2, 2]).map((line) =>
      line.t === 'run' && line.tenant === 'short-3' ? { ...line, queuedMs: 9000 } : line,
    )
    expect(judge(late).finding).toBe('inconclusive')
  })
})

describe('equal-tenants-get-equal-shares', () => {
  const judge = equalTenantsGetEqualShares.judge

  test('alike: held', () => {
    expect(judge(shared(2, [2, 2, 2]))).toMatchObject({ finding: 'held', tenants: names })
  })

  test('one of them fed first: broken for the one that had least', () => {
    const finding = judge(shared(1, [4, 2, 1]))
    expect(finding).toMatchObject({ finding: 'broken', tenants: ['short-3'] })
    expect(finding.reason).toContain('the least had 0.25 of the most')
  })

  test('half of the most: inconclusive', () => {
    expect(judge(shared(1, [2, 2, 1])).finding).toBe('inconclusive')
  })
})

describe('sparse-tenants-do-not-wait-for-backlogs', () => {
  const judge = sparseTenantsDoNotWaitForBacklogs.judge
  const sparse = (waitMs: number) =>
    times(20, (n) => run('sparse', [n * 60, n * 60 + waitMs, n * 60 + waitMs + 20], { id: `s${n}` }))

  test('a wait of a fraction of a run: held', () => {
    const finding = judge([...shared(2, [2, 2, 2]), ...sparse(10)])
    expect(finding).toMatchObject({ finding: 'held', opportunities: 20, controls: 20 })
    expect(finding.reason).toContain('sparse waited 10 ms')
  })

  test('a wait of the length of the backlog: broken', () => {
    const finding = judge([...shared(2, [2, 2, 2]), ...sparse(2000)])
    expect(finding).toMatchObject({ finding: 'broken', tenants: ['sparse'] })
  })

  test('a wait of some runs, or no backlog at all: inconclusive', () => {
    expect(judge([...shared(2, [2, 2, 2]), ...sparse(500)]).finding).toBe('inconclusive')
    const brief = names.flatMap((name) => worked(name, 20, { slots: 2, eachMs: 20 }))
    expect(judge([...hogs, ...brief, ...sparse(10)]).finding).toBe('inconclusive')
    expect(judge([]).finding).toBe('inconclusive')
  })
})

describe('weights-share-in-proportion', () => {
  const judge = weightsShareInProportion.judge
  const weighed = (slots: readonly number[]) =>
    [1, 2, 4].flatMap((weight, i) => [
      tenant(`weight-${weight}`, { weight }),
      ...worked(`weight-${weight}`, 400, { slots: slots[i] ?? 1, eachMs: 30 }),
    ])

  test('1 : 2 : 4: held', () => {
    const finding = judge(weighed([1, 2, 4]))
    expect(finding.finding).toBe('held')
    expect(finding.reason).toContain('the least had 1.00 of the most')
  })

  test('equal shares, and shares the wrong way round: broken', () => {
    expect(judge(weighed([2, 2, 2])).finding).toBe('broken')
    expect(judge(weighed([4, 2, 1])).reason).toContain('the least had 0.06 of the most')
  })

  test('1 : 1 : 2: inconclusive', () => {
    expect(judge(weighed([1, 1, 2])).finding).toBe('inconclusive')
  })
})

describe.each([idleTimeBanksNoCredit, newcomersDoNotStarveOthers])('$name', ({ judge }) => {
  /** Two busy on 4 slots each for 3 s, then all on what is given. */
  const came = (busySlots: number, lateSlots: number, queuedMs = 3000) => [
    ...['busy-1', 'busy-2'].flatMap((name) => [
      ...worked(name, 240, { slots: 4, eachMs: 50 }),
      ...worked(name, 200, { slots: busySlots, eachMs: 50, fromMs: 3000 }).map((r) => ({ ...r, id: `${r.id}+` })),
    ]),
    ...worked('late', 300, { slots: lateSlots, eachMs: 50, fromMs: queuedMs, queuedMs }),
  ]

  test('its share from then on: held', () => {
    const finding = judge(came(3, 3))
    expect(finding).toMatchObject({ finding: 'held', opportunities: 300, tenants: ['busy-1', 'busy-2'] })
    expect(finding.reason).toContain('busy-1 1.00, busy-2 1.00, late 1.00, in the first 1000 ms')
  })

  test('everything from then on: broken for those that were there', () => {
    const starved = came(3, 8)
      .filter(({ startedMs }) => (startedMs ?? 0) < 3000)
      .concat(worked('late', 300, { slots: 8, eachMs: 50, fromMs: 3000, queuedMs: 3000 }))
    const waiting = ['busy-1', 'busy-2'].flatMap((name) =>
      times(200, (n) => run(name, [0, null, null], { id: `${name}w${n}` })),
    )
    expect(judge([...starved, ...waiting])).toMatchObject({ finding: 'broken', tenants: ['busy-1', 'busy-2'] })
  })

  test('nearly twice its share, or too soon to claim anything: inconclusive', () => {
    expect(judge(came(2, 6)).finding).toBe('inconclusive')
    expect(judge(came(3, 3, 1000)).finding).toBe('inconclusive')
  })
})

describe('spare-capacity-is-used', () => {
  const judge = spareCapacityIsUsed.judge
  const alone = (slots: number) => [
    ...[1, 2, 3].flatMap((i) => worked(`one-of-3-${i}`, 60, { slots: 2, eachMs: 50 })),
    ...worked('alone', 160, { slots, eachMs: 50, fromMs: 5000, queuedMs: 5000 }),
  ]

  test('as much alone as three together: held', () => {
    const finding = judge(alone(6))
    expect(finding).toMatchObject({ finding: 'held', opportunities: 160, controls: 340 })
    expect(finding.reason).toContain('6.0 slots busy with one tenant alone (160 runs), 6.0 with three')
  })

  test('a third of it: broken', () => {
    expect(judge(alone(2))).toMatchObject({ finding: 'broken', tenants: ['alone'] })
  })

  test('two thirds of it, or too few runs: inconclusive', () => {
    expect(judge(alone(4)).finding).toBe('inconclusive')
    expect(judge(worked('alone', 10, { slots: 2, eachMs: 50 })).finding).toBe('inconclusive')
  })
})
