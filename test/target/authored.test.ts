// Targets that users write as modules: what is wrong with one is said in words, before anything is measured by it.

import { describe, expect, test } from 'vitest'
import { authoredTarget } from '../../harness/target/authored.ts'
import type { TenantAccess, TenantPlan } from '../../harness/target/port.ts'

const plan: TenantPlan = {
  label: 'quiet-1',
  id: 'quiet-1',
  startsPerMinute: 600,
  concurrentRuns: 4,
  maxRunMs: 1000,
  maxQueued: 10,
  stepMs: 1,
}
const SECRET = 'Bearer s3cret-value'
const access: TenantAccess = {
  label: 'quiet-1',
  id: 'a',
  origin: 'http://127.0.0.1:9',
  stepMs: 1,
  start: { method: 'POST', path: '/jobs', headers: { authorization: SECRET }, body: '{"input":"{{canary}}"}' },
  startIdAt: 'id',
  completion: { by: 'response' },
}
const provision = () => access

describe('a module', () => {
  test.each([
    [7, 'the default export is number'],
    [null, 'the default export is null'],
    [{ provision }, '`name` is missing'],
    [{ name: 'x' }, '`provision` is missing'],
    [{ name: 'x', provision, stop: true }, '`stop` is not a function'],
    [{ name: 'x', provision, capabilities: 'steps' }, '`capabilities` is not a list'],
    [
      { name: 'x', provision, capabilities: ['sse'] },
      '`capabilities` names "sse"; it may name tenants, steps, weights',
    ],
    [{ name: 'x', provision, capabilities: ['tenants'] }, 'wants the function `remove`'],
    [{ name: 'x', provision, exited: 'later' }, '`exited` is not a promise'],
    [{ name: 'x', provision, backlogs: () => 0 }, '`backlogs` is not known'],
  ])('that exports %j is refused: %s', async (exported, words) => {
    const refused = await authoredTarget('mine.ts', exported).catch((error: unknown) => error)
    expect(refused).toMatchObject({ kind: 'usage', code: 'target-invalid' })
    expect(String(refused)).toContain(`mine.ts: `)
    expect(String(refused)).toContain(words)
  })

  test('has all of its faults told at once', async () => {
    await expect(authoredTarget('mine.ts', { stop: 1, extra: 2 })).rejects.toThrow(
      /name.*\n.*provision.*\n.*stop.*\n.*extra/,
    )
  })

  test('may be a function, and offers what its functions and its tenants show', async () => {
    const target = await authoredTarget('mine.ts', async () => ({
      name: 'x',
      provision: () => ({ ...access, read: { method: 'GET', path: '/jobs/{id}', headers: {} } }),
      runs: async () => [],
    }))
    expect([...target.capabilities].sort()).toEqual(['backlog', 'history'])
    await target.provision(plan)
    expect([...target.capabilities].sort()).toEqual(['backlog', 'history', 'read'])
  })
})

describe('an access', () => {
  const poll = { by: 'poll', everyMs: 5, path: '/jobs/{id}', statusAt: 'status', done: ['done'], failed: [] } as const
  test.each<[string, Partial<Record<keyof TenantAccess, unknown>>, string]>([
    ['elsewhere', { origin: 'http://example.com' }, 'origin must be on this machine'],
    ['without a canary', { start: { ...access.start, body: '{}' } }, 'start.body must hold {{canary}}'],
    ['with a path that is none', { start: { ...access.start, path: 'jobs' } }, 'start.path must be a path'],
    ['that polls no run', { completion: { ...poll, path: '/jobs' } }, 'completion.path must hold {id}'],
    ['that polls an unknown id', { completion: poll, startIdAt: undefined }, 'startIdAt is missing'],
    ['of another tenant', { label: 'quiet-2' }, 'label is "quiet-2"'],
    [
      'with a stream whose query leads elsewhere',
      { stream: { redisUrl: 'redis://127.0.0.1?host=10.0.0.1', key: 's', fields: {} } },
      'stream.redisUrl',
    ],
    ['with a stream elsewhere', { stream: { redisUrl: 'redis://10.0.0.1', key: 's', fields: {} } }, 'stream.redisUrl'],
  ])('%s is refused, and no header is told', async (_, change, words) => {
    const target = await authoredTarget('mine.ts', { name: 'x', provision: () => ({ ...access, ...change }) })
    const refused = await target.provision(plan).catch((error: unknown) => error)
    expect(refused).toMatchObject({ kind: 'usage', code: 'target-invalid' })
    expect(String(refused)).toContain(`mine.ts: provision(quiet-1)`)
    expect(String(refused)).toContain(words)
    expect(String(refused)).not.toContain('s3cret')
  })

  test('of a tenant that another plan has is refused: each would rightly be shown the data of the other', async () => {
    const target = await authoredTarget('mine.ts', {
      name: 'x',
      provision: ({ label }: TenantPlan) => ({ ...access, label }),
    })
    await target.provision(plan)
    await expect(target.provision({ ...plan, label: 'quiet-2' })).rejects.toThrow(
      'quiet-1 and quiet-2 are both the tenant a',
    )
  })
})
