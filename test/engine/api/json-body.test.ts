// What a body may be: two readers of one document must see the same thing.

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { DEPTH_MAX, parseJsonBody } from '../../../engine/api/json-body.ts'

const read = (text: string) => parseJsonBody(Buffer.from(text))

test('every JSON document is read as JSON.parse reads it', () => {
  const seed = Math.floor(Math.random() * 2 ** 31)
  console.log(`json-body: run seed ${seed}`)
  const value = fc.jsonValue({ maxDepth: 6, noUnicodeString: false })
  fc.assert(
    fc.property(value, (made) => {
      const text = JSON.stringify(made, null, 1)
      fc.pre(!text.includes('__proto__'))
      expect(read(text)).toEqual(JSON.parse(text))
    }),
    { seed, numRuns: 300 },
  )
})

test.each([
  ['{"a":1,"a":1}', 'twice'],
  ['{"a":1,"\\u0061":2}', 'twice'],
  ['[{"b":{"a":[],"c":"}","a":{}}}]', 'twice'],
  ['{"a":"\\"","b":{"x":1},"a":2}', 'twice'],
  ['{"__proto__":{}}', '__proto__'],
  ['{"\\u005f_proto__":{}}', '__proto__'],
  [`${'['.repeat(DEPTH_MAX + 1)}${']'.repeat(DEPTH_MAX + 1)}`, 'levels deep'],
  ['{"a":1', 'not JSON'],
  ['{"a":1}{', 'not JSON'],
  ['nul', 'not JSON'],
])('%s is refused', (text, why) => {
  expect(() => read(text)).toThrow(why)
})

test.each(['{"a":{"a":{"a":1}},"b":["a","a"]}', '[{"a":1},{"a":1}]', '{"a":"a","b":"b,\\"a\\":"}', '[]', '"a"'])(
  '%s is taken',
  (text) => {
    expect(read(text)).toEqual(JSON.parse(text))
  },
)

test(`${DEPTH_MAX} levels are taken; bytes that are not UTF-8 are refused; nothing is nothing`, () => {
  expect(() => read(`${'['.repeat(DEPTH_MAX)}${']'.repeat(DEPTH_MAX)}`)).not.toThrow()
  expect(() => parseJsonBody(Buffer.from([0x22, 0xff, 0x22]))).toThrow('UTF-8')
  expect(read('')).toBe(undefined)
})
