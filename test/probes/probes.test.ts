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
