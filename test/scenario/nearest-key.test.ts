// For an unknown key the one that was probably meant, at the place where it stands.

import { expect, test } from 'vitest'
import { z } from 'zod'
import { keysAt, nearest } from '../../harness/scenario/nearest-key.ts'
import { scenarioSchema } from '../../harness/scenario/schema.ts'
import { inWords, spelledOut } from '../../harness/scenario/yaml.ts'
import { httpTargetSchema } from '../../harness/target/http-schema.ts'
import { redisStreamsSchema } from '../../harness/target/redis-streams-schema.ts'

test('keys are known wherever a file of ours may hold some, over all alternatives', () => {
  expect(keysAt(scenarioSchema, [])).toEqual(expect.arrayContaining(['scenario', 'tenants', 'blocks', 'acts', 'kind']))
  expect(keysAt(scenarioSchema, ['blocks'])).toEqual(['pairs', 'lengthMs', 'settleMs', 'silence', 'warmUpMs'])
  expect(keysAt(scenarioSchema, ['tenants', 1, 'limits'])).toContain('concurrentRuns')
  expect(keysAt(httpTargetSchema, ['done'])).toEqual(['get', 'until', 'everyMs'])
  expect(keysAt(httpTargetSchema, ['tenants', 0])).toEqual(['id', 'headers'])
  expect(keysAt(redisStreamsSchema, ['done'])).toEqual(['results', 'id', 'status', 'failed'])
  expect(keysAt(z.strictObject({ a: z.record(z.string(), z.strictObject({ b: z.number() })) }), ['a', 'x'])).toEqual([
    'b',
  ])
  expect(keysAt(httpTargetSchema, ['stepMs'])).toEqual([])
})

test.each([
  ['silense', ['silence', 'pairs'], 'silence'],
  ['p99', ['p99Ms', 'successRatio'], 'p99Ms'],
  ['Tenants', ['tenants', 'noise'], 'tenants'],
  ['lenghtMs', ['settleMs', 'lengthMs'], 'lengthMs'],
  ['colour', ['tenants', 'noise'], null],
  ['x', [], null],
])('%s of %j is %s', (key, known, meant) => {
  expect(nearest(key, known)).toBe(meant)
})

test('a value that fits none of several forms is told what is wrong by the form it comes nearest to', () => {
  const schema = z.strictObject({
    done: z.union([z.literal('response'), z.strictObject({ get: z.string(), everyMs: z.number().default(5) })]),
  })
  const words = (done: unknown) =>
    (schema.safeParse({ done }).error?.issues ?? []).flatMap(spelledOut).map((issue) => inWords(issue, schema))
  expect(words({ gett: '/x', everyMs: 1 })).toEqual([
    'done.get: Invalid input: expected string, received undefined',
    'unknown key `gett` in done; did you mean `get`?',
  ])
  expect(words('respons')).toEqual(['done: expected "response"; or expected object, received string'])
})
