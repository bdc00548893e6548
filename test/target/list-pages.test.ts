// How a target file says where its list of runs goes on.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { Failure } from '../../harness/failure.ts'
import { httpTarget } from '../../harness/target/http.ts'

const folders: string[] = []
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true })
})

function targetWith(list: string) {
  const folder = mkdtempSync(join(tmpdir(), 'partywall-test-'))
  folders.push(folder)
  const file = join(folder, 'target.yaml')
  writeFileSync(
    file,
    `http: http://127.0.0.1:4711
stepMs: 1
tenants:
  - { id: a, headers: { x-tenant: a } }
  - { id: noisy, headers: { x-tenant: noisy } }
start: { post: /jobs, json: {} }
done: response
${list}
`,
  )
  return httpTarget(file)
}
const limits = { startsPerMinute: 1, concurrentRuns: 1, maxRunMs: 1, maxQueued: 1, stepMs: 1 }
const listOf = async (list: string) => {
  const target = targetWith(list)
  const access = await target.provision({ label: 'quiet-1', id: 'quiet-1', ...limits })
  return { can: target.capabilities.has('list'), path: access.list?.path, next: access.listNext }
}

test('a path alone is a list of one page; with the way to the next it is one of many', async () => {
  expect(await listOf('')).toEqual({ can: false, path: undefined, next: undefined })
  expect(await listOf('list: /jobs')).toEqual({ can: true, path: '/jobs', next: undefined })
  expect(await listOf('list: { get: /jobs }')).toEqual({ can: true, path: '/jobs', next: undefined })
  expect(await listOf('list: { get: "/jobs?limit=9", next: { cursor: paging.next, param: after } }')).toEqual({
    can: true,
    path: '/jobs?limit=9',
    next: { cursorAt: 'paging.next', param: 'after' },
  })
})

test.each(['list: jobs', 'list: { next: { cursor: a, param: b } }', 'list: { get: /jobs, next: { cursor: a } }'])(
  'what says half of it is refused: %s',
  (list) => {
    expect(() => targetWith(list)).toThrow(Failure)
  },
)
