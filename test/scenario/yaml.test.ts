// What is wrong in a YAML file is said with the place where it stands. Refuses messages without a line.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { z } from 'zod'
import { Failure } from '../../harness/failure.ts'
import { readYaml } from '../../harness/scenario/yaml.ts'

const folders: string[] = []
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
})

const schema = z.strictObject({
  name: z.string(),
  limits: z.strictObject({ runs: z.number() }).optional(),
  list: z.array(z.unknown()).max(3).optional(),
})

/** The failure that a file with these lines ends in, its path taken out. */
function refusal(...lines: string[]): { code: string; message: string; fix: string | undefined } {
  const folder = mkdtempSync(join(tmpdir(), 'pw-yaml-'))
  folders.push(folder)
  const file = join(folder, 'x.yaml')
  writeFileSync(file, `${lines.join('\n')}\n`)
  try {
    readYaml(file, schema, 'scenario')
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    expect(error.kind).toBe('usage')
    return { code: error.code, message: error.message.replaceAll(file, 'FILE'), fix: error.fix }
  }
  throw new Error('it was not refused')
}

test('an alias without an anchor is named with its line and column', () => {
  const { code, message, fix } = refusal('name: a', 'limits: *nowhere')
  expect([code, message]).toEqual([
    'yaml-alias',
    '[yaml-alias] FILE:2:9: the alias *nowhere has no anchor &nowhere before it',
  ])
  expect(fix).toContain('write the value out')
})

test('an alias before its anchor has none either', () => {
  expect(refusal('limits: *late', 'name: &late a').message).toContain('FILE:1:9: the alias *late has no anchor')
})

test('an alias within its own anchor is refused', () => {
  expect(refusal('name: a', 'list: &list [*list]').message).toContain(
    'FILE:2:14: the alias *list stands within what it stands for',
  )
})

test('aliases that multiply are refused before they are written out', () => {
  const levels = Array.from({ length: 9 }, (_, i) => {
    const inner = i === 0 ? 'x' : `*l${i - 1}`
    return `  - &l${i} [${Array(9).fill(inner).join(', ')}]`
  })
  expect(refusal('name: a', 'list:', ...levels).message).toMatch(/\[yaml-alias\] FILE:11:\d+: .* more than 50 times/)
})

test('an alias that leads somewhere is read', () => {
  expect(refusal('name: &it 1', 'limits: { runs: *it }').message).not.toContain('alias')
})

test('a wrong key is reported on its own line, wherever its value begins', () => {
  expect(refusal('name: a', 'colour:', '  # a remark', '  - blue').message).toContain(
    'FILE:2:1: unknown key `colour` in the file',
  )
  expect(refusal('name: a', 'limits:', '  runs: 1', '  colour:', '    deep: blue').message).toContain(
    'FILE:4:3: unknown key `colour` in limits',
  )
})

test('a wrong value is reported on the line of its key, an item of a list on its own', () => {
  expect(refusal('name:', '  - 1').message).toContain('FILE:1:1: name:')
  expect(refusal('name: a', 'list:', '  [1, 2,', '   3, 4]').message).toContain('FILE:2:1: list:')
  const items = z.strictObject({ list: z.array(z.number()) })
  const folder = mkdtempSync(join(tmpdir(), 'pw-yaml-'))
  folders.push(folder)
  writeFileSync(join(folder, 'x.yaml'), 'list:\n  - 1\n  - two\n')
  expect(() => readYaml(join(folder, 'x.yaml'), items, 'scenario')).toThrow(/x\.yaml:3:5: list\.1:/)
})
