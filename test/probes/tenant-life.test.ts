import { describe, expect, test } from 'vitest'
import { aLostGroupLosesNoRun } from '../../harness/probes/a-lost-group-loses-no-run.ts'
import { crashesLoseNoRun } from '../../harness/probes/crashes-lose-no-run.ts'
import { removedTenantsRunNothing } from '../../harness/probes/removed-tenants-run-nothing.ts'
import { slotsComeBackAfterACrash } from '../../harness/probes/slots-come-back-after-a-crash.ts'
import { mark, run, start, tenant, times } from './act-evidence.ts'

describe('removed-tenants-run-nothing', () => {
  const judge = removedTenantsRunNothing.judge
  const old = times(6, (n) => run('first', [n, n < 3 ? n : null, null]))
  const own = [start('second', 900, 202, 'new')]
  const done = run('second', [900, 901, 905], { look: 3, id: 'new' })

  test('the next one sees its own run only: held', () => {
    const finding = judge([...old, mark('second', 'backlog', 0), ...own, done])
    expect(finding).toMatchObject({ finding: 'held', opportunities: 6, controls: 1 })
    expect(finding.reason).toContain('3 of 6 runs were in flight')
  })

  test('it sees a run of the one before: broken for both', () => {
    const foreign = run('second', [1, 1, 700], { look: 2, id: 'first-1' })
    const finding = judge([...old, mark('second', 'backlog', 0), ...own, done, foreign])
    expect(finding).toMatchObject({ finding: 'broken', tenants: ['first', 'second'] })
    expect(finding.witness).toHaveLength(1)
  })

  test('something is queued for it before it started anything: broken', () => {
    expect(judge([...old, mark('second', 'backlog', 2), ...own, done]).finding).toBe('broken')
  })

  test('nothing in flight, nothing waiting, or no run of its own: inconclusive', () => {
    expect(judge([...old.slice(3), ...own, done]).finding).toBe('inconclusive')
    expect(judge([...old.slice(0, 3), ...own, done]).finding).toBe('inconclusive')
    expect(judge([...old, ...own]).finding).toBe('inconclusive')
  })
})

describe('a-lost-group-loses-no-run', () => {
  const judge = aLostGroupLosesNoRun.judge
  const lost = mark('loser', 'groups lost', 1)
  const all = (name: string, count: number) => [
    ...times(count, (n) => start(name, n)),
    ...times(count, (n) => run(name, [n, n + 1, n + 20])),
  ]

  test('every run of both ends well: held', () => {
    const finding = judge([lost, ...all('loser', 30), ...all('neighbour', 10)])
    expect(finding).toMatchObject({ finding: 'held', opportunities: 30, controls: 10 })
  })

  test('a run that waits for ever: broken for its owner only', () => {
    const finding = judge([
      lost,
      ...all('loser', 30),
      ...all('neighbour', 10),
      start('loser', 50),
      run('loser', [50, null, null]),
    ])
    expect(finding).toMatchObject({ finding: 'broken', tenants: ['loser'] })
    expect(finding.reason).toContain('1 of 31 runs of loser and 0 of 10 of neighbour')
  })

  test('a run of the neighbour that nobody knows any more: broken for both', () => {
    const finding = judge([lost, ...all('loser', 30), ...all('neighbour', 10), start('neighbour', 50)])
    expect(finding).toMatchObject({ finding: 'broken', tenants: ['loser', 'neighbour'] })
  })

  test('no group to lose: inconclusive', () => {
    expect(judge([...all('loser', 30), ...all('neighbour', 10)]).finding).toBe('inconclusive')
  })
})

describe('after a crash', () => {
  const killed = mark('capped', 'killed')
  const capped = tenant('capped', { concurrentRuns: 2 })
  const starts = times(6, (n) => start('capped', n))
  const before = times(2, (n) => run('capped', [n, 100, 400]))
  const again = times(2, (n) => run('capped', [2 + n, 5000, 5300], { attempt: 2 }))
  const after = times(2, (n) => run('capped', [4 + n, 5300, 5600]))
  const all = [killed, capped, ...starts, ...before, ...again, ...after]

  test('all done, some of them at a second attempt: crashes-lose-no-run held', () => {
    const finding = crashesLoseNoRun.judge(all)
    expect(finding).toMatchObject({ finding: 'held', opportunities: 6, controls: 6 })
    expect(finding.reason).toContain('2 were tried again')
  })

  test('one that is not known any more, and one that still waits: broken', () => {
    expect(crashesLoseNoRun.judge([...all, start('capped', 50)])).toMatchObject({ finding: 'broken' })
    const waits = run('capped', [50, null, null])
    expect(crashesLoseNoRun.judge([...all, start('capped', 50), waits])).toMatchObject({
      finding: 'broken',
      tenants: ['capped'],
    })
  })

  test('nothing in flight, or nothing killed: inconclusive', () => {
    expect(crashesLoseNoRun.judge([killed, capped, ...starts.slice(0, 2), ...before]).finding).toBe('inconclusive')
    expect(crashesLoseNoRun.judge(all.slice(1)).finding).toBe('inconclusive')
  })

  test('the cap filled again: slots-come-back-after-a-crash held', () => {
    expect(slotsComeBackAfterACrash.judge(all)).toMatchObject({ finding: 'held', opportunities: 2, controls: 6 })
  })

  test('one more than the cap, or fewer while some wait: broken', () => {
    const more = run('capped', [60, 5100, 5200])
    expect(slotsComeBackAfterACrash.judge([...all, more])).toMatchObject({ finding: 'broken', tenants: ['capped'] })
    const one = [killed, capped, ...before, ...again.slice(0, 1), run('capped', [9, null, null])]
    expect(slotsComeBackAfterACrash.judge(one)).toMatchObject({ finding: 'broken', tenants: ['capped'] })
  })

  test('runs that never go on: broken', () => {
    const stuck = times(2, (n) => run('capped', [2 + n, 300, null]))
    expect(slotsComeBackAfterACrash.judge([killed, capped, ...before, ...stuck])).toMatchObject({
      finding: 'broken',
      tenants: ['capped'],
    })
  })

  test('fewer at once than the cap with nothing left to run: inconclusive', () => {
    expect(slotsComeBackAfterACrash.judge([killed, capped, ...before, ...again.slice(0, 1)]).finding).toBe(
      'inconclusive',
    )
  })
})
