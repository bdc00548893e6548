// The adapter of the reference engine, with a real one: a tenant that it will not make is said with the engine's words.

import { afterEach, expect, test } from 'vitest'
import { Failure } from '../../harness/failure.ts'
import { type Guard, openGuard } from '../../harness/stack/guard.ts'
import { startPrivateRedis } from '../../harness/stack/redis.ts'
import { referenceTarget } from '../../harness/target/reference.ts'

let guard: Guard | null = null
afterEach(async () => await guard?.close())

const plan = { label: 'quiet-1', id: 'quiet-1', startsPerMinute: 60, concurrentRuns: 8, maxRunMs: 1000, maxQueued: 10 }

async function failureOf(work: Promise<unknown>): Promise<Failure> {
  const error = await work.then(
    () => null,
    (cause: unknown) => cause,
  )
  if (error instanceof Failure) return error
  throw new Error('it did not end in a failure', { cause: error })
}

test('a tenant that the engine refuses, or cannot make, ends in one message and no stack', async () => {
  guard = await openGuard()
  const { url } = await startPrivateRedis(guard)
  const target = referenceTarget({ guard, redisUrl: url, namespace: '0', defect: null })
  await target.start()

  const refused = await failureOf(target.provision({ ...plan, stepMs: 1, concurrentRuns: 20_000 }))
  expect([refused.kind, refused.code]).toEqual(['usage', 'tenant-refused'])
  expect(refused.message).toContain('the tenant quiet-1')
  expect(refused.message).toMatch(/POST \/v1\/tenants answered 400 \[[a-z-]+\].*concurrentRuns/)
  expect(refused.fix).toContain('mend what the scenario says')

  await target.provision({ ...plan, stepMs: 1 })
  const taken = await failureOf(target.provision({ ...plan, stepMs: 1 }))
  expect([taken.kind, taken.code]).toEqual(['environment', 'tenant-not-made'])
  expect(taken.message).toContain('[tenant-exists]')

  await target.stop()
  const gone = await failureOf(target.provision({ ...plan, id: 'quiet-2', stepMs: 1 }))
  expect([gone.kind, gone.code]).toEqual(['environment', 'tenant-not-made'])
})
