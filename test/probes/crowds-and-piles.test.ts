import { describe, expect, test } from 'vitest'
import { bigPayloadsHoldUpNobody } from '../../harness/probes/big-payloads-hold-up-nobody.ts'
import { crowdsDoNotLengthenWaits } from '../../harness/probes/crowds-do-not-lengthen-waits.ts'
import { oversizePayloadsAreRefused } from '../../harness/probes/oversize-payloads-are-refused.ts'
import { pilesOfPendingRunsBlockNobody } from '../../harness/probes/piles-of-pending-runs-block-nobody.ts'
import { unlabelledWorkNeverGoesFirst } from '../../harness/probes/unlabelled-work-never-goes-first.ts'
import { mark, run, start, tenant, times, worked } from './act-evidence.ts'

describe('crowds-do-not-lengthen-waits', () => {
  const judge = crowdsDoNotLengthenWaits.judge
  /** 720 runs of 20 ms on 8 slots, shared by so many; a sparse tenant that waits so long beside them. */
  const beside = (size: number, waitMs: number, fromMs: number, backlog = 720) => [
    tenant(`beside-${size}`, { declaredMs: { work: 20 } }),
    ...times(size, (i) => tenant(`noisy-${i}-of-${size}`)),
    ...worked(`noisy-0-of-${size}`, backlog, { slots: 8, eachMs: 20, fromMs, queuedMs: fromMs }),
    ...times(20, (n) => {
      const queuedMs = fromMs + 50 * n
      return run(`beside-${size}`, [queuedMs, queuedMs + waitMs, queuedMs + waitMs + 20])
    }),
  ]

  test('some milliseconds beside each: held, with the curve', () => {
    const finding = judge([...beside(1, 8, 0), ...beside(4, 10, 5000), ...beside(16, 12, 10_000)])
    expect(finding).toMatchObject({
      finding: 'held',
      opportunities: 60,
      controls: 60,
      tenants: ['beside-1', 'beside-4', 'beside-16'],
    })
    expect(finding.reason).toContain('8 ms beside 1, 10 ms beside 4, 12 ms beside 16')
    expect(finding.witness.map(({ what }) => what.split(',')[0])).toEqual([
      'beside 1: waited 8 ms in the median',
      'beside 4: waited 10 ms in the median',
      'beside 16: waited 12 ms in the median',
    ])
  })

  test('a wait that grows with their number: broken for the one that waited', () => {
    const finding = judge([...beside(1, 8, 0), ...beside(4, 30, 5000), ...beside(16, 600, 10_000)])
    expect(finding).toMatchObject({ finding: 'broken', tenants: ['beside-16'] })
    expect(finding.witness).toHaveLength(3)
  })

  test('a wait of some runs, no backlog, or one crowd only: inconclusive', () => {
    expect(judge([...beside(1, 8, 0), ...beside(4, 120, 5000)]).finding).toBe('inconclusive')
    expect(judge([...beside(1, 8, 0), ...beside(4, 8, 5000, 40)]).finding).toBe('inconclusive')
    expect(judge(beside(1, 8, 0)).finding).toBe('inconclusive')
  })
})

describe('oversize-payloads-are-refused', () => {
  const judge = oversizePayloadsAreRefused.judge
  const big = tenant('big', { maxPayloadBytes: 1000 })
  const sized = (atMs: number, bytes: number, status: number) => ({ ...start('big', atMs, status), bytes })
  const within = times(4, (n) => sized(n, 1000, 202))
  const runs = times(4, (n) => run('big', [n, n, n + 1]))
  const over = times(6, (n) => sized(100 + n, 1001, 413))
  const written = mark('big', 'written', 8)

  test('those above are refused, those within admitted: held', () => {
    const finding = judge([big, ...within, ...runs, ...over, written])
    expect(finding).toMatchObject({ finding: 'held', opportunities: 14, controls: 4 })
    expect(finding.reason).toContain('0 of 6 payloads above 1000 bytes were admitted, 0 of 8')
  })

  test('one above that is admitted: broken, with its size', () => {
    const finding = judge([big, ...within, ...runs, ...over, sized(200, 1200, 202), written])
    expect(finding).toMatchObject({ finding: 'broken', tenants: ['big'] })
    expect(finding.witness[0]?.what).toBe('big: a body of 1200 bytes was answered 202')
  })

  test('one that was written past the API and became a run: broken', () => {
    const finding = judge([big, ...within, ...runs, ...over, written, run('big', [300, 301, 302])])
    expect(finding.finding).toBe('broken')
    expect(finding.reason).toContain('1 of 8 that were written into the stream became runs')
  })

  test('refused for another reason, a control that was refused, nothing written: inconclusive', () => {
    const limited = over.map((line) => ({ ...line, status: 429 }))
    expect(judge([big, ...within, ...runs, ...limited, written]).finding).toBe('inconclusive')
    expect(judge([big, ...within, sized(9, 900, 413), ...runs, ...over, written]).finding).toBe('inconclusive')
    expect(judge([big, ...within, ...runs, ...over]).finding).toBe('inconclusive')
  })
})

describe('big-payloads-hold-up-nobody', () => {
  const judge = bigPayloadsHoldUpNobody.judge
  const payloads = times(20, (n) => ({ ...start('big', n), bytes: 100_000 }))
  const waited = (name: string, waitMs: number) => {
    return times(30, (n) => run(name, [40 * n, 40 * n + waitMs, 40 * n + waitMs + 5]))
  }

  test('about the same wait: held', () => {
    const finding = judge([...payloads, ...waited('before', 2), ...waited('beside', 9)])
    expect(finding).toMatchObject({ finding: 'held', opportunities: 30, controls: 30 })
    expect(finding.reason).toContain('9 ms in the median beside 1.9 MiB of payloads in 20 starts, 2 ms before')
  })

  test('half a second: broken for the one that waited', () => {
    expect(judge([...payloads, ...waited('before', 2), ...waited('beside', 500)])).toMatchObject({
      finding: 'broken',
      tenants: ['beside'],
    })
  })

  test('a wait between, a machine that was slow before, or no big payloads: inconclusive', () => {
    expect(judge([...payloads, ...waited('before', 2), ...waited('beside', 200)]).finding).toBe('inconclusive')
    expect(judge([...payloads, ...waited('before', 90), ...waited('beside', 500)]).finding).toBe('inconclusive')
    expect(judge([...waited('before', 2), ...waited('beside', 500)]).finding).toBe('inconclusive')
  })
})

describe('unlabelled-work-never-goes-first', () => {
  const judge = unlabelledWorkNeverGoesFirst.judge
  const flooded = tenant('flooded', { concurrentRuns: 3 })
  const flood = [flooded, mark('flooded', 'bare', 60), mark('flooded', 'malformed', 200)]
  const starts = times(30, (n) => start('flooded', n))
  const neighbour = times(20, (n) => run('neighbour', [n * 60, n * 60 + 2, n * 60 + 7]))
  /** Three at a time, the admitted before what was written later. */
  const labelled = times(30, (n) => {
    const startedMs = 100 + 10 * Math.floor(n / 3)
    return run('flooded', [n, startedMs, startedMs + 10])
  })
  const bare = times(60, (n) => {
    const startedMs = 200 + 10 * Math.floor(n / 3)
    return run('flooded', [50, startedMs, startedMs + 10], { id: `bare-${n}`, source: 'stream' })
  })
  const sound = [...flood, ...starts, ...labelled, ...bare, ...neighbour]

  test('in the order in which they came, within the cap: held', () => {
    const finding = judge(sound)
    expect(finding).toMatchObject({ finding: 'held', opportunities: 260, controls: 50 })
    expect(finding.reason).toContain('0 of 30 admitted runs were passed by unlabelled ones; 3 ran at once')
  })

  test('what was written later begins before what was admitted: broken, with those it passed', () => {
    const first = bare.map((r, n) => ({
      ...r,
      startedMs: 100 + 10 * Math.floor(n / 3),
      endedMs: 110 + 10 * Math.floor(n / 3),
    }))
    const later = labelled.map((r) => ({ ...r, startedMs: (r.startedMs ?? 0) + 300, endedMs: (r.endedMs ?? 0) + 300 }))
    const finding = judge([...flood, ...starts, ...later, ...first, ...neighbour])
    expect(finding).toMatchObject({ finding: 'broken', tenants: ['flooded'] })
    expect(finding.reason).toContain('30 of 30 admitted runs were passed')
  })

  test('one more at once than the cap, or a run that came of a malformed entry: broken', () => {
    const more = run('flooded', [60, 205, 225], { id: 'bare-x', source: 'stream' })
    expect(judge([...sound.filter((line) => line.t !== 'run' || line.id !== 'bare-59'), more]).reason).toContain(
      '4 ran at once',
    )
    const madeOfNothing = run('flooded', [60, 500, 510], { id: 'bare-y', source: 'stream' })
    expect(judge([...sound, madeOfNothing])).toMatchObject({ finding: 'broken', tenants: ['flooded'] })
  })

  test('a neighbour that waits behind the flood: broken for the neighbour', () => {
    const behind = neighbour.map((r) => ({ ...r, startedMs: r.queuedMs + 1600, endedMs: r.queuedMs + 1605 }))
    expect(judge([...flood, ...starts, ...labelled, ...bare, ...behind])).toMatchObject({
      finding: 'broken',
      tenants: ['neighbour'],
    })
  })

  test('no flood, one that was passed by a hair, or a neighbour that did not work: inconclusive', () => {
    expect(judge([flooded, ...starts, ...labelled, ...bare, ...neighbour]).finding).toBe('inconclusive')
    expect(judge(sound.filter((line) => line.t !== 'run' || line.tenant !== 'neighbour')).finding).toBe('inconclusive')
    const last = labelled.at(-1)
    const late = sound.map((line) => (line === last ? { ...last, startedMs: 201, endedMs: 209 } : line))
    expect(judge(late.filter((line) => line.t !== 'run' || line.id !== 'bare-2')).finding).toBe('inconclusive')
  })
})

describe('piles-of-pending-runs-block-nobody', () => {
  const judge = pilesOfPendingRunsBlockNobody.judge
  const killed = mark('piled', 'killed')
  const starts = times(1200, (n) => start('piled', n))
  const again = times(1200, (n) => run('piled', [n, 7000, 11_000], { attempt: 2 }))
  const quiet = times(40, (n) => run('quiet', [3000 + 100 * n, 3003 + 100 * n, 3008 + 100 * n]))

  test('all of them done at a second attempt, the neighbour served: held', () => {
    const finding = judge([killed, ...starts, ...again, ...quiet])
    expect(finding).toMatchObject({ finding: 'held', opportunities: 1200, controls: 40 })
    expect(finding.reason).toContain('1200 of 1200 runs were pending at the crash, 0 were not done')
  })

  test('some that never go on, or are not known any more: broken for their owner', () => {
    const stuck = again.map((r, n) => (n < 300 ? r : run('piled', [n, 1300, null], { id: r.id })))
    const finding = judge([killed, ...starts, ...stuck, ...quiet])
    expect(finding).toMatchObject({ finding: 'broken', tenants: ['piled'], opportunities: 1200 })
    expect(finding.reason).toContain('900 were not done in the end')
    expect(judge([killed, ...starts, ...again.slice(1), ...quiet]).reason).toContain('1 were not done in the end')
  })

  test('a neighbour that waits until they are found: broken for the neighbour', () => {
    const behind = quiet.map((r) => ({ ...r, startedMs: 8000, endedMs: 8005 }))
    expect(judge([killed, ...starts, ...again, ...behind])).toMatchObject({ finding: 'broken', tenants: ['quiet'] })
  })

  test('fewer than a thousand pending, or nothing killed: inconclusive', () => {
    const once = again.map((r, n) => (n < 900 ? r : { ...r, attempt: 1 }))
    expect(judge([killed, ...starts, ...once, ...quiet]).finding).toBe('inconclusive')
    expect(judge([...starts, ...again, ...quiet]).finding).toBe('inconclusive')
  })
})
