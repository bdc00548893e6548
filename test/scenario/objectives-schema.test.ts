// Objectives of a scenario: the scalar form, profiles by role and tenant, and what is wrong with one, with its line and how to
// mend it. Refuses what no run could answer.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { Failure } from '../../harness/failure.ts'
import { loadScenario } from '../../harness/scenario/load.ts'

const shipped = readFileSync(fileURLToPath(new URL('../../scenarios/noisy-neighbour.yaml', import.meta.url)), 'utf8')
const head = shipped.slice(0, shipped.indexOf('objectives:'))

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'pw-objectives-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

/** The objectives that a file with these lines asks for. */
function load(...lines: string[]) {
  const file = join(folder, 'x.yaml')
  writeFileSync(file, `${head}objectives:\n${lines.map((line) => `  ${line}\n`).join('')}`)
  const scenario = loadScenario(file)
  if (scenario.kind === 'acts') throw new Error('a flood was written')
  return scenario.objectives
}

const scalar = ['p99Ms: 250', 'successRatio: 0.99', 'interferenceRatio: 2']

/** Messages with the line counted from that of `objectives:`, which is 0. */
function refusal(...lines: string[]): string[] {
  try {
    load(...scalar, ...lines)
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    expect(error.code).toBe('scenario-invalid')
    const first = head.split('\n').length
    const said = error.message.replace('[scenario-invalid] ', '').split('\n')
    return said.map((words) => words.replace(/^\S*x\.yaml:(\d+):(\d+)/, (_, line) => `line ${Number(line) - first}`))
  }
  throw new Error('it was not refused')
}

test('the scalar form is taken as before', () => {
  expect(load(...scalar)).toEqual({ p99Ms: 250, successRatio: 0.99, interferenceRatio: 2, interferenceFloorMs: 0 })
})

test('profiles of the role and of a tenant are taken', () => {
  const { profiles } = load(
    ...scalar,
    'profiles:',
    '  quiet: { p50Ms: 20, p90Ms: 60, p999Ms: 800, maxMs: 2000, goodSeconds: { p99Ms: 250, share: 0.85 } }',
    '  quiet-4: { p99Ms: 100, successRatio: 0.995 }',
  )
  expect(profiles).toEqual({
    quiet: { p50Ms: 20, p90Ms: 60, p999Ms: 800, maxMs: 2000, goodSeconds: { p99Ms: 250, share: 0.85 } },
    'quiet-4': { p99Ms: 100, successRatio: 0.995 },
  })
})

test('the example of the README is taken', () => {
  const readme = readFileSync(fileURLToPath(new URL('../../scenarios/README.md', import.meta.url)), 'utf8')
  const [, yaml = ''] = /```yaml\nobjectives:\n([\s\S]*?)```/.exec(readme) ?? []
  const { profiles } = load(...yaml.split('\n').map((line) => line.slice(2)))
  expect(Object.keys(profiles ?? {})).toEqual(['quiet', 'quiet-1'])
})

test.each([
  ['an unknown percentile', 'quiet: { p95Ms: 20 }', 'unknown key `p95Ms` in objectives.profiles.quiet'],
  ['nothing', 'quiet: {}', 'at least one objective: p50Ms, p90Ms, p99Ms, p999Ms, maxMs, successRatio, goodSeconds'],
  ['a limit of nothing', 'quiet: { p50Ms: 0 }', 'objectives.profiles.quiet.p50Ms: '],
  [
    'limits that fall',
    'quiet: { p50Ms: 20, p99Ms: 10 }',
    'objectives.profiles.quiet.p99Ms: 10 ms is less than the 20 ms of p50Ms: a larger percentile cannot have the smaller limit',
  ],
  [
    'a maximum below a percentile',
    'quiet: { p999Ms: 20, maxMs: 10 }',
    'quiet.maxMs: 10 ms is less than the 20 ms of p999Ms',
  ],
  ['a success ratio in per cent', 'quiet: { successRatio: 99 }', 'write 0.99 for 99 %'],
  [
    'seconds without a percentile',
    'quiet: { goodSeconds: { share: 0.9 } }',
    'exactly one of p50Ms, p90Ms, p99Ms, p999Ms',
  ],
  [
    'seconds with two',
    'quiet: { goodSeconds: { p50Ms: 1, p99Ms: 2, share: 0.9 } }',
    'beside share, not 2; for example { p99Ms',
  ],
  ['all seconds', 'quiet: { goodSeconds: { p99Ms: 2, share: 1 } }', 'no number of seconds proves that all are good'],
  [
    'the noisy tenant',
    'noisy: { p99Ms: 2 }',
    'response times of the noisy tenant are not judged; name the role `quiet`',
  ],
  [
    'a tenant that is not there',
    'quiet-5: { p99Ms: 2 }',
    'there is no such tenant; name the role `quiet`, or one of quiet-1 to quiet-4',
  ],
])('a profile of %s is refused at its line', (_, line, words) => {
  const said = refusal('profiles:', `  ${line}`)
  expect(said.filter((told) => told.includes(words))).toHaveLength(1)
  for (const told of said) expect(told).toMatch(/^line 5: /)
})

test('all that is wrong is told at once, each at its line', () => {
  const said = refusal('profiles:', '  quiet: { p50Ms: -1 }', '  quiet-1: { p95Ms: 1, p99Ms: 5 }')
  expect(said.map((words) => words.slice(0, 'line 5'.length))).toEqual(['line 5', 'line 6'])
})
