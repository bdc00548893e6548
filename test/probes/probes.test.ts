import { expect, test } from 'vitest'
import type { ProbeLine, ProbeObservation } from '../../harness/evidence/run.ts'
import * as canaries from '../../harness/probes/canaries-stay-with-tenant.ts'
import * as runs from '../../harness/probes/runs-stay-with-tenant.ts'

const read = (reader: string, owner: string, more: Partial<ProbeObservation>): ProbeObservation => ({
  t: 'probe',
  probe: 'read',
  atUs: 5,
  arm: 'noise',
  reader,
  owner,
  status: 404,
  own: 0,
  foreign: [],
  likeUnknown: null,
  ...more,
})
const control = (tenant: string) => read(tenant, tenant, { status: 200, own: 1 })
const served = (tenant: string, run: string) => read(tenant, tenant, { status: 200, own: 1, run })
const leak = { owner: 'a', digest: 'd', encoding: 'plain' }

test('foreign reads refused and the owners served: held, with the number of questions', () => {
  const finding = runs.judge([control('a'), control('b'), read('a', 'b', {}), read('b', 'a', { status: 403 })])
  expect(finding).toMatchObject({ finding: 'held', opportunities: 2, controls: 2 })
})

test('one foreign read answered with the run: broken, naming its owner and its reader', () => {
  const finding = runs.judge([
    control('a'),
    control('b'),
    read('a', 'b', {}),
    read('b', 'a', { status: 200, foreign: [leak] }),
  ])
  expect(finding).toMatchObject({ finding: 'broken', tenants: ['a'] })
  expect(finding.reason).toContain('b read a run of a')
  expect(finding.witness).toHaveLength(1)
})

test('a 200 that an unknown id gets as well shows nothing', () => {
  const finding = runs.judge([control('a'), read('b', 'a', { status: 200, likeUnknown: true })])
  expect(finding.finding).toBe('held')
})

test('a 200 that an unknown id does not get is a leak, canary or not', () => {
  expect(runs.judge([control('a'), read('b', 'a', { status: 200, likeUnknown: false })]).finding).toBe('broken')
})

test('without the owner’s own successful read nothing is proved', () => {
  const finding = runs.judge([read('b', 'a', {}), read('a', 'a', { status: 200, own: 0 })])
  expect(finding).toMatchObject({ finding: 'inconclusive', tenants: ['a'] })
})

test('a run that only failures or nothing at all were answered for is no question', () => {
  const failures = [0, 302, 401, 408, 429, 500, 503].map((status) => read('b', 'a', { status, run: 'r1' }))
  expect(runs.judge([served('a', 'r1'), ...failures])).toEqual({
    probe: 'runs-stay-with-tenant',
    finding: 'inconclusive',
    tenants: ['a', 'b'],
    opportunities: 0,
    controls: 1,
    reason:
      'no foreign read of a run that its owner could read was decided asked by b, of a run of a ' +
      '(7 foreign reads in all, 0 of them undecided; 1 positive controls)',
    witness: [],
  })
})

test('the same question asked again is one question; a run that its owner could not read is none', () => {
  const lines = [
    served('a', 'r1'),
    served('a', 'r2'),
    ...[1, 2, 3].map(() => read('b', 'a', { run: 'r1' })),
    read('b', 'a', { run: 'r2' }),
    read('c', 'a', { run: 'r2' }),
    read('b', 'a', { run: 'gone' }),
    read('a', 'a', { run: 'gone', status: 404 }),
  ]
  expect(runs.judge(lines)).toEqual({
    probe: 'runs-stay-with-tenant',
    finding: 'held',
    tenants: ['b', 'c'],
    opportunities: 3,
    controls: 2,
    reason:
      '0 of 3 different questions (a reader and a run) showed anything (so fewer than 1.0e+2 % do, 95 %); ' +
      '6 foreign reads in all, 0 of them undecided; 2 positive controls',
    witness: [],
  })
})

test('a foreign canary breaks the promise in a refusal, a broken answer or a success alike', () => {
  for (const status of [0, 200, 404, 500]) {
    const guilty = read('b', 'a', { status, run: 'r1', foreign: [leak], likeUnknown: status === 200 ? true : null })
    expect(runs.judge([served('a', 'r1'), guilty])).toEqual({
      probe: 'runs-stay-with-tenant',
      finding: 'broken',
      tenants: ['a'],
      opportunities: 1,
      controls: 1,
      reason: "1 of 1 reads of a neighbour's run were answered with it: b read a run of a",
      witness: [{ atUs: 5, arm: 'noise', what: `b: GET of run r1 of a answered ${status} with 1 foreign canaries` }],
    })
  }
})

test('whose canary was seen is whose run was read, whoever was asked for', () => {
  const guilty = read('b', 'a', { status: 200, foreign: [{ ...leak, owner: 'c' }] })
  expect(runs.judge([control('a'), guilty])).toMatchObject({ finding: 'broken', tenants: ['c'] })
})

test('where each tenant counts its runs by itself, a neighbour’s id is the reader’s own run: held', () => {
  const lines = [
    served('a', '17'),
    served('b', '17'),
    read('a', 'b', { status: 200, run: '17', own: 1, likeUnknown: false }),
    read('b', 'a', { status: 200, run: '17', own: 1 }),
    // One of a run that holds no canary: the reader's own as well, as far as anybody can tell.
    read('b', 'a', { status: 200, run: '18', likeUnknown: false }),
  ]
  expect(runs.judge(lines)).toMatchObject({ finding: 'held', tenants: ['a', 'b'], opportunities: 2, controls: 2 })
  const leaking = read('b', 'a', { status: 200, run: '17', own: 1, foreign: [leak] })
  expect(runs.judge([...lines, leaking])).toMatchObject({ finding: 'broken', tenants: ['a'] })
})

test('a success that could not be compared is no leak, and no proof that there was none', () => {
  const unclear = read('b', 'a', { status: 200, run: 'r1' })
  const refused = read('b', 'a', { run: 'r2' })
  expect(runs.judge([served('a', 'r1'), served('a', 'r2'), refused, unclear])).toEqual({
    probe: 'runs-stay-with-tenant',
    finding: 'inconclusive',
    tenants: ['a'],
    opportunities: 1,
    controls: 2,
    reason:
      '1 successes could not be told from the answer for an id of nobody: b asking for runs of a ' +
      '(2 foreign reads in all, 1 of them undecided; 2 positive controls)',
    witness: [],
  })
  // A target that refuses with 200: others of its kind were compared.
  const compared = read('b', 'a', { status: 200, run: 'r2', likeUnknown: true })
  expect(runs.judge([served('a', 'r1'), served('a', 'r2'), compared, unclear])).toMatchObject({
    finding: 'held',
    opportunities: 1,
  })
})

test('no questions, no pass', () => {
  expect(runs.judge([]).finding).toBe('inconclusive')
  expect(canaries.judge([], ['a']).finding).toBe('inconclusive')
})

const received = (tenant: string, own: number): ProbeLine => ({ t: 'received', tenant, messages: 10, own })

test('own canaries everywhere and no foreign one: held', () => {
  expect(canaries.judge([received('a', 3), received('b', 4)], ['a', 'b'])).toMatchObject({
    finding: 'held',
    opportunities: 20,
    controls: 7,
  })
})

test('a foreign canary in a list, or in what was received, is broken and names both', () => {
  const listed: ProbeLine = { ...read('b', 'b', { status: 200, own: 2, foreign: [leak] }), probe: 'list' }
  const sighted: ProbeLine = {
    t: 'sighting',
    atUs: 1,
    receiver: 'b',
    owner: 'a',
    digest: 'd',
    encoding: 'hex',
    where: 'event stream',
  }
  for (const guilty of [listed, sighted]) {
    const finding = canaries.judge([received('a', 3), received('b', 4), guilty], ['a', 'b'])
    expect(finding).toMatchObject({ finding: 'broken', tenants: ['a'] })
    expect(finding.reason).toContain('b saw a canary of a')
  }
})

test('a tenant that never saw its own canary proves nothing about its channel', () => {
  expect(canaries.judge([received('a', 3), received('b', 0)], ['a', 'b'])).toMatchObject({
    finding: 'inconclusive',
    tenants: ['b'],
  })
})

test('lists want a control of their own: events do not speak for a list that is always empty', () => {
  const empty: ProbeLine = { ...read('b', 'b', { status: 200, own: 0 }), probe: 'list' }
  const unanswered: ProbeLine = { ...read('b', 'b', { status: 0, own: 0 }), probe: 'list' }
  for (const line of [empty, unanswered]) {
    const finding = canaries.judge([received('a', 3), received('b', 4), line], ['a', 'b'])
    expect(finding).toMatchObject({ finding: 'inconclusive', tenants: ['b'] })
    expect(finding.reason).toContain('lists of b')
  }
})

test('what the noisy tenant was answered counts, and needs no canary of its own', () => {
  const refused: ProbeLine = { t: 'received', tenant: 'noisy', messages: 900, own: 0 }
  const lines = [received('a', 3), received('b', 4), refused]
  expect(canaries.judge(lines, ['a', 'b'])).toMatchObject({ finding: 'held', opportunities: 920 })
  const swapped: ProbeLine = {
    t: 'sighting',
    atUs: 1,
    receiver: 'noisy',
    owner: 'a',
    digest: 'd',
    encoding: 'plain',
    where: 'answers to its flood',
  }
  expect(canaries.judge([...lines, swapped], ['a', 'b']).reason).toContain('noisy saw a canary of a')
})

test('somebody else’s run in place of one’s own is a leak, though nobody asked for it', () => {
  const swapped = read('b', 'b', { status: 200, own: 0, run: 'r9', foreign: [leak] })
  const lines = [received('a', 3), received('b', 4), served('a', 'r1'), served('b', 'r8'), swapped]
  expect(canaries.judge(lines, ['a', 'b'])).toEqual({
    probe: 'canaries-stay-with-tenant',
    finding: 'broken',
    tenants: ['a'],
    opportunities: 23,
    controls: 9,
    reason: '1 foreign canaries in 23 messages: b saw a canary of a',
    witness: [
      { atUs: 5, arm: 'noise', what: 'b: canary d of a in the answer to its read of run r9 of b (200, body, plain)' },
    ],
  })
})

test('a foreign canary in any answer to a probe is broken: each kind, each reader, each status, body or header', () => {
  const innocent = [received('a', 3), received('b', 4), served('a', 'r1'), served('b', 'r2')]
  expect(canaries.judge(innocent, ['a', 'b'])).toMatchObject({ finding: 'held', opportunities: 22, controls: 9 })
  for (const status of [0, 200, 404, 500]) {
    for (const reader of ['b', 'noisy']) {
      for (const seen of [leak, { ...leak, in: 'headers' as const }]) {
        const asked = read(reader, 'a', { status, run: 'r1', foreign: [seen] })
        const listed: ProbeLine = { ...read(reader, reader, { status, page: 2, foreign: [seen] }), probe: 'list' }
        const where = `(${status}, ${seen === leak ? 'body' : 'headers'}, plain)`
        for (const [guilty, place] of [
          [asked, 'the answer to its read of run r1 of a'],
          [listed, 'page 2 of its list of runs'],
        ] as const) {
          expect(canaries.judge([...innocent, guilty], ['a', 'b'])).toMatchObject({
            finding: 'broken',
            tenants: ['a'],
            witness: [{ what: `${reader}: canary d of a in ${place} ${where}` }],
          })
        }
      }
    }
  }
})

test('the same run read again by the same tenant bounds nothing further', () => {
  const lines = [received('a', 3), served('a', 'r1'), served('a', 'r1'), read('a', 'b', { run: 'r2' })]
  expect(canaries.judge(lines, ['a'])).toMatchObject({ finding: 'held', opportunities: 12, controls: 5 })
})

test('what was held says how deep lists were looked into', () => {
  const page = (page: ProbeObservation['page']): ProbeLine => {
    return { ...read('a', 'a', { status: 200, own: 1, ...(page === undefined ? {} : { page }) }), probe: 'list' }
  }
  const reason = (...lines: ProbeLine[]) => canaries.judge([received('a', 3), ...lines], ['a']).reason
  const held = (n: number) =>
    `0 foreign canaries in ${n} messages (so fewer than ${((3 / n) * 100).toPrecision(2)} % hold one, 95 %); ${n - 7} own canaries seen`
  expect(reason(page('only'))).toBe(
    `${held(11)}; of lists the first page only was asked, as the target names no way to the next`,
  )
  expect(reason(page(1), page(2), page(1), page(3))).toBe(`${held(14)}; lists were asked for to page 3`)
  expect(reason()).toBe(held(10))
})
