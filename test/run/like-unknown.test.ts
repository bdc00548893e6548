import { expect, test } from 'vitest'
import { isFailure, likeUnknown } from '../../harness/run/like-unknown.ts'

const told = (id: string, body: unknown, status = 200) => {
  return { id, status, text: typeof body === 'string' ? body : JSON.stringify(body) }
}
type Body = (id: string, at: number) => unknown
/** Asked in this order: an id of nobody, the neighbour's, an id of nobody. */
const compare = (answer: Body, unknown: Body, ids = ['n-1', 'run-7', 'n-2']) => {
  const [before = '', run = '', after = ''] = ids
  return likeUnknown(told(run, answer(run, 1)), told(before, unknown(before, 0)), told(after, unknown(after, 2)))
}

const refusals: Record<string, Body> = {
  'the same words': () => ({ error: 'no such run' }),
  'the id in it': (id) => ({ error: `no run ${id} here`, id, link: `/runs/${encodeURIComponent(id)}` }),
  'the time in it': (id, at) => ({ error: 'no such run', id, at: 1_700_000_000_000 + at }),
  'the time to the second in it': (_, at) => ({ error: 'no such run', at: at < 2 ? '12:00:01' : '12:00:02' }),
  'a request id in it': (_, at) => ({ error: 'no such run', meta: [{ request: `q${at}x${at}` }] }),
  'a counter in it': (_, at) => ({ error: 'no such run', remaining: 99 - at }),
  'no body': () => '',
  'plain words': (id, at) => `no run ${id} at ${at} here`,
  'a page': (id) => `<html>\n<p class=x>${id}</p>\n not found </html>`,
  'the id as a name': (id) => ({ runs: { [id]: null } }),
}
test.each(Object.entries(refusals))('a refusal with %s is what an id of nobody gets', (_, body) => {
  expect(compare(body, body)).toBe(true)
  expect(compare(body, body, ['991', '17', '882'])).toBe(true)
  expect(compare(body, body, ['a/ü 1', 'a/ü 2', 'a/ü 3'])).toBe(true)
})

test('an id that is a small number is not taken out of the numbers around it', () => {
  const body: Body = (id, at) => ({ id: Number(id), day: '2026-11-24', took: [1724, 24], at })
  expect(compare(body, body, ['991', '24', '882'])).toBe(true)
})

const leaks: [what: string, answer: Body, unknown: Body][] = [
  ['another value', () => ({ status: 'done' }), () => ({ status: 'unknown' })],
  ['another value beside the time', (_, at) => ({ at, out: 5 }), (_, at) => ({ at, out: null })],
  ['a value more', (id) => ({ id, owner: 'a' }), (id) => ({ id })],
  ['a value less', (id) => ({ id }), (id) => ({ id, error: 'no such run' })],
  ['another kind', () => ({ n: 1 }), () => ({ n: '1' })],
  ['a body', () => ({ id: 1 }), () => ''],
  ['another word', (id) => `run ${id} done`, (id) => `run ${id} missing`],
  ['a word more', () => 'run done', () => 'run'],
]
test.each(leaks)('an answer with %s is not', (_, answer, unknown) => {
  expect(compare(answer, unknown)).toBe(false)
})

test('another status is not either, success or refusal', () => {
  for (const status of [204, 403, 404]) {
    expect(likeUnknown(told('r', ''), told('n', '', status), told('m', '', status))).toBe(false)
  }
})

test('an answer that failed decides nothing, whichever it was', () => {
  const good = told('r', 'x')
  for (const status of [0, 408, 429, 500, 503]) {
    expect(isFailure(status)).toBe(true)
    const bad = told('n', 'x', status)
    expect(likeUnknown(bad, good, good)).toBeNull()
    expect(likeUnknown(good, bad, good)).toBeNull()
    expect(likeUnknown(good, good, bad)).toBeNull()
    expect(likeUnknown(good, bad, bad)).toBeNull()
  }
})

test('where the two ids of nobody have nothing in common nothing is decided', () => {
  expect(likeUnknown(told('r', 'x'), told('n', 'x', 404), told('m', 'x', 403))).toBeNull()
  expect(
    compare(
      () => ({ a: 1 }),
      (_, at) => (at === 0 ? { a: 1 } : { b: 1 }),
    ),
  ).toBeNull()
  expect(
    compare(
      (_, at) => `${at}`,
      (_, at) => `${at}`,
    ),
  ).toBeNull()
})
