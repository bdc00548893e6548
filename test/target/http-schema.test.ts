// What a target file may say: everything that a measurement by it would need, and tenants that are really different.

import { describe, expect, test } from 'vitest'
import { httpTargetSchema } from '../../harness/target/http-schema.ts'

const good = {
  http: 'http://127.0.0.1:8080',
  stepMs: 1,
  tenants: [
    { id: 'a', headers: { authorization: 'Bearer one' } },
    { id: 'b', headers: { authorization: 'Bearer two' } },
  ],
  start: { post: '/jobs', json: {}, id: 'id' },
  done: { get: '/jobs/{id}', until: { status: ['done'] } },
  read: '/jobs/{id}',
  list: '/jobs',
}

function faults(change: object): string[] {
  const issues = httpTargetSchema.safeParse({ ...good, ...change }).error?.issues ?? []
  return issues.map(({ path, message }) => `${path.join('.')}: ${message}`)
}

test('a whole file is taken, and one where the answer of the start is all there is', () => {
  expect(faults({})).toEqual([])
  expect(faults({ start: { post: '/jobs', json: {} }, done: 'response', read: undefined })).toEqual([])
})

describe('refused is', () => {
  const withoutId = { post: '/jobs', json: {} }
  test.each([
    [
      'asking whether a run is done without its id',
      { start: withoutId, read: undefined },
      ['done.get: wants `start.id`'],
    ],
    ['reading runs without their ids', { start: withoutId, done: 'response' }, ['read: wants `start.id`']],
    ['asking for no run', { done: { ...good.done, get: '/jobs' } }, ['done.get: a path with {id}']],
    ['reading no run', { read: '/jobs' }, ['read: a path with {id}']],
    ['more than an origin', { http: 'http://127.0.0.1:8080/v1' }, ['http: an origin only']],
    ['a credential in the origin', { http: 'http://me:secret@127.0.0.1:8080' }, ['http: an origin only']],
    [
      'a header over two lines',
      { tenants: [good.tenants[0], { id: 'b', headers: { x: 'a\nb' } }] },
      ['tenants.1.headers.x: a value on one line'],
    ],
    [
      'a tenant twice',
      { tenants: [good.tenants[0], { id: 'a', headers: { x: 'y' } }] },
      ['tenants.1.id: there is a tenant a'],
    ],
  ])('%s', (_, change, said) => {
    expect(faults(change)).toEqual(said.map((words) => expect.stringContaining(words)))
  })

  test.each([
    ['equal', { authorization: 'Bearer one' }],
    ['equal but for case and blanks', { Authorization: ' Bearer one ' }],
  ])('a tenant with the credentials of another: headers that are %s', (_, headers) => {
    const found = faults({ tenants: [...good.tenants, { id: 'c', headers }] })
    expect(found).toEqual([expect.stringContaining('tenants.2.headers: the same headers as the tenant a')])
  })
})
