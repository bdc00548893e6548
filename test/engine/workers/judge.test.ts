// The judge on hand-built evidence, guilty and innocent: a judge that sees nothing would pass every schedule.

import { describe, expect, test } from 'vitest'
import { parseTenantId } from '../../../engine/tenant.ts'
import { Witness } from '../witness.ts'
import { type Account, violations } from './judge.ts'
import type { Life, Start } from './ledger.ts'

const MS = 1_000_000n
const WINDOW_MS = 1000
const span = (fromMs: number, untilMs = fromMs + 1) => ({ fromNs: BigInt(fromMs) * MS, untilNs: BigInt(untilMs) * MS })

interface Step {
  entry: string
  from: number
  until: number
  asked?: number
  attempt?: number
  input?: string
}

function evidence(steps: readonly Step[], change: Partial<Life> = {}, how: Start['how'] = 'admitted') {
  const witness = new Witness()
  const starts = new Map<string, Start>()
  for (const [at, { entry, from, until, asked = from - 1, attempt = 1, input = '{"of":"t"}' }] of steps.entries()) {
    if (!starts.has(entry)) starts.set(entry, { how, span: span(at * 10) })
    const told = { askedNs: BigInt(asked) * MS, inputText: input }
    witness.see('started', 't', entry, attempt, BigInt(from) * MS, told)
    witness.see('ended', 't', entry, attempt, BigInt(until) * MS)
  }
  const life: Life = {
    tenant: parseTenantId('t'),
    starts,
    cancelled: new Set(),
    caps: [{ cap: 2, span: span(0) }],
    rates: [{ rate: 3, span: span(0) }],
    suspended: [],
    gone: null,
    ...change,
  }
  const ids = [...starts.keys()]
  const account: Account = {
    statuses: new Map(ids.map((id) => [id, 'done'])),
    endings: new Map(ids.map((id) => [id, 1])),
    letters: new Map(),
  }
  return { life, witness, account }
}

const judged = ({ life, witness, account }: ReturnType<typeof evidence>) =>
  violations(life, witness, WINDOW_MS, account)

const three = [
  { entry: '1-0', from: 10, until: 50 },
  { entry: '2-0', from: 20, until: 60 },
  { entry: '3-0', from: 60, until: 90 },
]

test('runs within the cap, in their window, each ended once, are innocent', () => {
  expect(judged(evidence(three))).toEqual([])
})

describe('the cap', () => {
  const tight = [{ cap: 1, span: span(0) }]
  test('is broken by one run more than was allowed since its claim was asked for', () => {
    expect(judged(evidence(three, { caps: tight }))).toEqual(['t 2-0: 2 run, the cap is 1'])
  })
  test('that was lowered after the claim was asked for is not broken by it', () => {
    const caps = [
      { cap: 2, span: span(0) },
      { cap: 1, span: span(19, 20) },
    ]
    expect(judged(evidence(three, { caps }))).toEqual([])
    const earlier = [
      { cap: 2, span: span(0) },
      { cap: 1, span: span(15, 16) },
    ]
    expect(judged(evidence(three, { caps: earlier }))).toEqual(['t 2-0: 2 run, the cap is 1'])
  })
})

describe('the window', () => {
  test('is broken by one start more, and counts admissions, direct claims and further attempts', () => {
    const rates = [{ rate: 2, span: span(0) }]
    const wrong = ['t: 3 starts within a window, 2 are allowed']
    expect(judged(evidence(three, { rates }))).toEqual(wrong)
    expect(judged(evidence(three, { rates }, 'written'))).toEqual(wrong)
    const again = [...three.slice(0, 2), { entry: '1-0', from: 70, until: 80, attempt: 2 }]
    expect(judged(evidence(again, { rates }))).toEqual(wrong)
  })
  test('is over after its length', () => {
    const later = [...three.slice(0, 2), { entry: '1-0', from: 1100, until: 1110, attempt: 2 }]
    expect(judged(evidence(later, { rates: [{ rate: 2, span: span(0) }] }))).toEqual([])
  })
})

test('a claim while suspended, or after the removal, is told', () => {
  const suspended = [{ fromNs: 15n * MS, untilNs: 55n * MS }]
  expect(judged(evidence(three, { suspended }))).toEqual(['t 2-0 was claimed while its tenant was suspended'])
  expect(judged(evidence(three, { gone: span(30) }))).toEqual(['t 3-0 was claimed after its tenant was removed'])
})

test('an attempt that ran twice, and a run in the wrong hands, are told', () => {
  expect(judged(evidence([...three, { entry: '1-0', from: 95, until: 99 }]))).toEqual(['t 1-0/1 ran twice'])
  const foreign = { entry: '1-0', from: 10, until: 50, input: '{"of":"u"}' }
  expect(judged(evidence([foreign]))).toEqual(['t 1-0/1 has the input {"of":"u"}'])
})

describe('the account', () => {
  const accused = (
    change: (
      account: { [K in keyof Account]: Map<string, Account[K] extends ReadonlyMap<string, infer V> ? V : never> },
    ) => void,
    how?: Start['how'],
  ) => {
    const found = evidence(three, {}, how)
    const account = {
      statuses: new Map(found.account.statuses),
      endings: new Map(found.account.endings),
      letters: new Map(found.account.letters),
    }
    change(account)
    return judged({ ...found, account })
  }
  test('misses a run that is nowhere, ended twice, still waits, or is of nobody', () => {
    expect(accused(({ statuses }) => statuses.delete('2-0')).length).toBe(1)
    expect(accused(({ endings }) => endings.set('2-0', 2)).length).toBe(1)
    expect(accused(({ statuses }) => statuses.set('2-0', 'queued')).length).toBe(1)
    expect(accused(({ statuses }) => statuses.set('9-0', 'done')).length).toBe(1)
  })
  test('wants a letter of what is dead, and none of what is not', () => {
    expect(accused(({ statuses }) => statuses.set('2-0', 'dead')).length).toBe(1)
    expect(accused(({ letters }) => letters.set('2-0', 'attempts-exhausted')).length).toBe(1)
  })
  test('wants of a malformed entry a letter that says so, and no run', () => {
    const bad = evidence([], { starts: new Map([['5-0', { how: 'malformed', span: span(1) }]]) })
    const said = (letters: [string, string][]) =>
      judged({ ...bad, account: { ...bad.account, letters: new Map(letters) } })
    expect(said([['5-0', 'input-malformed']])).toEqual([])
    expect(said([]).length).toBe(1)
    expect(said([['5-0', 'queue-full']]).length).toBe(1)
  })
  test('believes a cancellation only if the run is cancelled', () => {
    expect(judged(evidence(three, { cancelled: new Set(['1-0']) })).length).toBe(1)
  })
})
