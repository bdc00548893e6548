import { describe, expect, test } from 'vitest'
import { actProbes } from '../../harness/probes/act-probes.ts'
import { endedRunsFreeTheirSlot } from '../../harness/probes/ended-runs-free-their-slot.ts'
import { lateResultsDoNotCount } from '../../harness/probes/late-results-do-not-count.ts'
import { poisonHurtsItsOwnerOnly } from '../../harness/probes/poison-hurts-its-owner-only.ts'
import { retriesAreCharged } from '../../harness/probes/retries-are-charged.ts'
import { runsEndAtTheirDeadline } from '../../harness/probes/runs-end-at-their-deadline.ts'
import { runsStayWithinCap } from '../../harness/probes/runs-stay-within-cap.ts'
import { startsStayWithinRate } from '../../harness/probes/starts-stay-within-rate.ts'
import { whoExceedsDegrades } from '../../harness/probes/who-exceeds-degrades.ts'
import { mark, run, start, tenant, times, worked } from './act-evidence.ts'

test.each([...actProbes])('$name is inconclusive of no evidence at all', ({ judge }) => {
  expect(judge([])).toMatchObject({ finding: 'inconclusive', opportunities: 0, controls: 0 })
})

describe('starts-stay-within-rate', () => {
  const tenants = [tenant('twin', { startsPerMinute: 4 }), tenant('eager', { startsPerMinute: 4 })]
  const twin = times(4, (n) => start('twin', n * 10))
  const refused = times(6, (n) => start('eager', 1000 + n, 429))
  const judge = startsStayWithinRate.judge

  test('the limit admitted and the rest refused: held, with the number refused', () => {
    const finding = judge([...tenants, ...twin, ...times(4, (n) => start('eager', n)), ...refused])
    expect(finding).toMatchObject({ finding: 'held', opportunities: 6, controls: 8 })
  })

  test('one more within 60 s: broken, with the first and the last of them', () => {
    const late = start('eager', 59_990)
    const finding = judge([...tenants, ...twin, ...times(4, (n) => start('eager', n)), ...refused, late])
    expect(finding).toMatchObject({ finding: 'broken', tenants: ['eager'], opportunities: 7 })
    expect(finding.reason).toContain('5 of them within 60.0 s; the limit is 4 in 60 s')
    expect(finding.witness).toHaveLength(2)
  })

  test('one more that was answered only when 60 s were over shows nothing', () => {
    const finding = judge([
      ...tenants,
      ...twin,
      ...times(4, (n) => start('eager', n)),
      ...refused,
      start('eager', 59_999),
    ])
    expect(finding.finding).toBe('held')
  })

  test('a limit that was never reached: inconclusive', () => {
    expect(judge([...tenants, ...twin, ...times(3, (n) => start('eager', n)), ...refused]).finding).toBe('inconclusive')
    expect(judge([]).finding).toBe('inconclusive')
  })
})

describe('who-exceeds-degrades', () => {
  const tenants = [tenant('twin', { startsPerMinute: 4 }), tenant('eager', { startsPerMinute: 4 })]
  const eager = [...times(4, (n) => start('eager', n)), ...times(8, (n) => start('eager', 100 + n, 429))]
  const judge = whoExceedsDegrades.judge

  test('the one who exceeds is turned away, the twin is not: held', () => {
    const finding = judge([...tenants, ...eager, ...times(4, (n) => start('twin', n))])
    expect(finding).toMatchObject({ finding: 'held', opportunities: 8, controls: 4 })
  })

  test('nobody is turned away: broken for who exceeds', () => {
    const all = [...tenants, ...times(12, (n) => start('eager', n)), ...times(4, (n) => start('twin', n))]
    expect(judge(all)).toMatchObject({ finding: 'broken', tenants: ['eager'] })
  })

  test('the twin is turned away: broken for the twin', () => {
    const all = [...tenants, ...eager, ...times(3, (n) => start('twin', n)), start('twin', 9, 429)]
    expect(judge(all)).toMatchObject({ finding: 'broken', tenants: ['twin'] })
  })

  test('a twin that got no answer, or nobody who exceeds: inconclusive', () => {
    expect(judge([...tenants, ...eager, start('twin', 1, 0)]).finding).toBe('inconclusive')
    expect(judge([...tenants, ...times(4, (n) => start('twin', n))]).finding).toBe('inconclusive')
  })
})

describe('runs-stay-within-cap', () => {
  const many = tenant('many', { concurrentRuns: 3 })
  const judge = runsStayWithinCap.judge

  test('three at once with a cap of three: held', () => {
    const finding = judge([many, ...worked('many', 30, { slots: 3, eachMs: 40 })])
    expect(finding).toMatchObject({ finding: 'held', opportunities: 30, controls: 30 })
    expect(finding.reason).toContain('3 of 30 runs at once, the cap is 3')
  })

  test('one that starts a millisecond before another ends: broken, with those that ran then', () => {
    const finding = judge([
      many,
      ...worked('many', 30, { slots: 3, eachMs: 40 }),
      run('many', [0, 79, 90], { id: 'x' }),
    ])
    expect(finding).toMatchObject({ finding: 'broken', tenants: ['many'] })
    expect(finding.reason).toContain('4 of 31 runs at once')
    expect(finding.witness).toHaveLength(3)
  })

  test('one that starts in the millisecond in which another ends is within the cap', () => {
    expect(judge([many, ...worked('many', 30, { slots: 3, eachMs: 1 })]).finding).toBe('held')
  })

  test('a cap that was never reached: inconclusive', () => {
    expect(judge([many, ...worked('many', 30, { slots: 2, eachMs: 40 })]).finding).toBe('inconclusive')
    expect(judge([many]).finding).toBe('inconclusive')
  })
})

const declaredMs = { work: 5, hang: 20_000, late: 2000 }
const overlong = tenant('overlong', { maxRunMs: 400, declaredMs })
const ended = (workflow: string, atMs: number, lastedMs: number, look = 2) =>
  run('overlong', [atMs, atMs, atMs + lastedMs], { workflow, look, status: 'timed-out', id: `${workflow}-${atMs}` })
const control = run('overlong', [0, 0, 5], { look: 2 })

describe('runs-end-at-their-deadline', () => {
  const judge = runsEndAtTheirDeadline.judge
  const brief = times(20, (n) => run('brief', [n, n, n + 5], { look: 2 }))

  test('all kinds ended at their deadline: held', () => {
    const finding = judge([overlong, control, ended('hang', 10, 410), ended('late', 20, 450), ...brief])
    expect(finding).toMatchObject({ finding: 'held', opportunities: 2, controls: 1 })
    expect(finding.reason).toContain('the longest took 450 ms, the limit is 400 ms')
  })

  test('one that took all of its time: broken', () => {
    const finding = judge([overlong, control, ended('hang', 10, 410), ended('late', 20, 2003), ...brief])
    expect(finding).toMatchObject({ finding: 'broken', tenants: ['overlong'] })
    expect(finding.witness).toHaveLength(1)
  })

  test('one that still runs long after its deadline: broken', () => {
    const open = run('overlong', [10, 10, null], { workflow: 'hang', look: 2, id: 'h' })
    const later = run('brief', [3000, 3000, 3005], { look: 2 })
    expect(judge([overlong, control, open, ended('late', 20, 450), ...brief, later]).finding).toBe('broken')
  })

  test('late by a stall that all runs had: inconclusive', () => {
    const stalled = times(20, (n) => run('brief', [n, n, n + 1500], { look: 2 }))
    expect(judge([overlong, control, ended('hang', 10, 1700), ended('late', 20, 450), ...stalled]).finding).toBe(
      'inconclusive',
    )
  })

  test('without the control, or without a kind of run: inconclusive', () => {
    expect(judge([overlong, ended('hang', 10, 410), ...brief]).finding).toBe('inconclusive')
    const open = run('overlong', [10, 10, null], { workflow: 'hang', look: 2 })
    expect(judge([overlong, control, ended('late', 10, 410), open, ...brief]).finding).toBe('inconclusive')
  })
})

describe('late-results-do-not-count', () => {
  const judge = lateResultsDoNotCount.judge
  const before = ended('late', 20, 410, 1)
  const after = ended('late', 20, 410)
  const now = run('brief', [4000, 4000, 4005], { look: 2 })

  test('ended before and after its late result: held', () => {
    expect(judge([overlong, control, before, after, now])).toMatchObject({
      finding: 'held',
      opportunities: 1,
      controls: 1,
    })
  })

  test('ended before, done afterwards: broken', () => {
    const done = { ...after, status: 'done', endedMs: 2020 }
    expect(judge([overlong, control, before, done, now])).toMatchObject({ finding: 'broken', tenants: ['overlong'] })
  })

  test('not seen ended before, or before its result was due: inconclusive', () => {
    expect(judge([overlong, control, after, now]).finding).toBe('inconclusive')
    expect(judge([overlong, control, before, after]).finding).toBe('inconclusive')
  })
})

describe('ended-runs-free-their-slot', () => {
  const judge = endedRunsFreeTheirSlot.judge
  const hung = times(6, (n) => ended('hang', n * 10, 410))

  test('brief runs go on being started: held', () => {
    const brief = times(20, (n) => run('brief', [n * 50, n * 50 + 3, n * 50 + 9], { look: 2 }))
    expect(judge([overlong, ...hung, ...brief])).toMatchObject({ finding: 'held', opportunities: 6, controls: 20 })
  })

  test('brief runs are not started any more: broken, with those that wait', () => {
    const brief = times(10, (n) => run('brief', [n * 50, n * 50 + 3, n * 50 + 9], { look: 2 }))
    const stuck = times(10, (n) => run('brief', [500 + n * 50, null, null], { look: 2 }))
    const now = run('overlong', [4000, 4000, null], { look: 2, workflow: 'hang', id: 'now' })
    const finding = judge([overlong, ...hung, ...brief, ...stuck, now])
    expect(finding).toMatchObject({ finding: 'broken', tenants: ['brief'] })
    expect(finding.witness).toHaveLength(3)
  })

  test('one long wait is a stall: inconclusive; so is nothing ended', () => {
    const brief = times(20, (n) => run('brief', [n * 50, n * 50 + (n === 7 ? 1600 : 3), n * 50 + 2000], { look: 2 }))
    expect(judge([overlong, ...hung, ...brief]).finding).toBe('inconclusive')
    expect(judge([overlong]).finding).toBe('inconclusive')
  })
})

describe('retries-are-charged', () => {
  const storm = tenant('storm', { startsPerMinute: 12 })
  const starts = times(6, (n) => start('storm', n))
  const judge = retriesAreCharged.judge
  const tried = (attempts: number, status = 'queued') =>
    times(6, (n) => run('storm', [n, null, null], { attempt: attempts, status }))

  test('twelve attempts with a limit of twelve: held', () => {
    const finding = judge([storm, ...starts, ...tried(3)])
    expect(finding).toMatchObject({ finding: 'held', opportunities: 6, controls: 6 })
    expect(finding.reason).toContain('12 attempts of 6 runs')
  })

  test('one more than that: broken', () => {
    const finding = judge([storm, ...starts, ...tried(3), run('storm', [9, 10, 11], { status: 'dead' })])
    expect(finding).toMatchObject({ finding: 'broken', tenants: ['storm'] })
  })

  test('no retry, or fewer attempts than allowed: inconclusive', () => {
    expect(judge([storm, ...starts, ...tried(1, 'dead')]).finding).toBe('inconclusive')
    expect(judge([storm, ...starts, ...tried(2)]).finding).toBe('inconclusive')
  })
})

describe('poison-hurts-its-owner-only', () => {
  const judge = poisonHurtsItsOwnerOnly.judge
  const starts = times(5, (n) => start('neighbour', n * 10))
  const neighbour = times(5, (n) => run('neighbour', [n * 10, n * 10, n * 10 + 5]))
  const dead = times(4, (n) => run('poisoned', [n, n, n + 9], { status: 'dead', attempt: 2 }))

  test('given up, and the neighbour untouched: held', () => {
    const finding = judge([...starts, ...neighbour, ...dead, mark('poisoned', 'x')])
    expect(finding).toMatchObject({ finding: 'held', opportunities: 4, controls: 5 })
  })

  test('a run of the neighbour tried twice, or gone: broken for the neighbour', () => {
    const twice = { ...neighbour[0], attempt: 2 } as (typeof neighbour)[number]
    expect(judge([...starts, twice, ...neighbour.slice(1), ...dead])).toMatchObject({
      finding: 'broken',
      tenants: ['neighbour'],
    })
    expect(judge([...starts, ...neighbour.slice(1), ...dead])).toMatchObject({
      finding: 'broken',
      tenants: ['neighbour'],
    })
  })

  test('a run that is never given up: broken for its owner', () => {
    const endless = run('poisoned', [50, 51, null], { attempt: 40 })
    expect(judge([...starts, ...neighbour, ...dead, endless])).toMatchObject({
      finding: 'broken',
      tenants: ['poisoned'],
    })
  })

  test('nothing poisoned: inconclusive', () => {
    expect(judge([...starts, ...neighbour]).finding).toBe('inconclusive')
  })
})
