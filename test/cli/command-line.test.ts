// What the command line refuses before it does anything: one message with the choices or the allowed form, exit code 2.

import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { refusal, said } from './said.ts'

const RUN_OPTIONS = 'options of run: --target, --defect, --redis, --out, --seed, --budget'
const NEVER_MADE = join(tmpdir(), 'pw-never-made')
const COMMANDS = 'commands: run, calibrate, judge, compare, engine, doctor, list'

test.each([
  [['dance'], ['dance', COMMANDS]],
  [['rum'], ['rum', COMMANDS]],
  [[], ['which command?', COMMANDS]],
  [
    ['run', '--sed', '1'],
    ['sed', RUN_OPTIONS],
  ],
  [
    ['run', '-x'],
    ['Unknown argument: x', RUN_OPTIONS],
  ],
  [
    ['run', '--no-redis'],
    ['no-redis', RUN_OPTIONS],
  ],
  [
    ['run', '--out.folder', 'x'],
    ['out.folder', RUN_OPTIONS],
  ],
  [
    ['run', 'one', 'two'],
    ['Unknown argument: two', RUN_OPTIONS],
  ],
  [
    ['list', '--fix'],
    ['fix', 'options of list: --json'],
  ],
  [['judge'], ["judge wants a run's folder"]],
])('what is not known is refused with the choices: %j', async (args, hints) => {
  const words = await refusal(...args)
  for (const hint of hints) expect(words).toContain(hint)
})

test.each([
  [['run', '--out', 'a', '--out', 'b'], '--out'],
  [['run', '--seed=1', '--seed', '2'], '--seed'],
  [['run', '--redis', 'a', '--redis', 'a'], '--redis'],
  [['run', '--json', '--json'], '--json'],
  [['calibrate', '--only', 'M30', '--only', 'M37'], '--only'],
  [['engine', '--admin-token-file', 'a', '--admin-token-file', 'b'], '--admin-token-file'],
])('an option that is given twice is refused: %j', async (args, option) => {
  expect(await refusal(...args)).toContain(`[option-twice] ${option} is given more than once`)
})

test.each([
  [['run', '--redis', ''], '--redis'],
  [['run', '--redis'], '--redis'],
  [['run', '--redis='], '--redis'],
  [['run', '--out', ''], '--out'],
  [['run', '--target', '', '--json'], '--target'],
  [['run', '--defect', ''], '--defect'],
  [['calibrate', '--only', ''], '--only'],
  [['judge', ''], '--run'],
])('an option without its value is refused, and not taken for left out: %j', async (args, option) => {
  expect(await refusal(...args)).toContain(`[option-empty] ${option} has no value`)
})

test('a value for an option that takes none is refused', async () => {
  expect(await refusal('doctor', '--fix=maybe')).toContain('[option-value] --fix takes no value')
})

describe('a value of no allowed form is refused with that form', () => {
  test.each(['abc', '-1', '1e3', '1.5', '0x10', '1234567890', ' 1'])('--seed %s', async (seed) => {
    const words = await refusal('run', '--seed', seed)
    expect(words).toContain(`--seed ${seed} is no run seed`)
    expect(words).toContain('a whole number of at most 9 digits')
  })

  test.each(['abc', '0', '0s', '-5', '86401', '99999999', '1m', '1.5s', 'Infinity'])('--budget %s', async (budget) => {
    const words = await refusal('run', '--budget', budget)
    expect(words).toContain(`--budget ${budget} is no time`)
    expect(words).toContain('whole seconds from 1 to 86400, for instance --budget 60s')
  })

  test.each([
    ['port', '65536', 'from 0 to 65535'],
    ['port', 'http', 'from 0 to 65535'],
    ['workers', '65', 'from 0 to 64'],
    ['workers', '-1', 'from 0 to 64'],
    ['slots', '0', 'from 1 to 10000'],
    ['slots', '1e3', 'from 1 to 10000'],
  ])('engine --%s %s', async (option, value, range) => {
    const words = await refusal('engine', `--${option}`, value)
    expect(words).toContain(`--${option} ${value} is no whole number ${range}`)
  })
})

test.each([
  [['run', '--defect', 'shared-fofi'], 'shared-fifo'],
  [['run', '--target', 'elsewhere'], 'elsewhere'],
  [['run', '--target', '/nowhere/target.yaml', '--out', NEVER_MADE], '/nowhere/target.yaml'],
  [['run', '--redis', 'redis://10.0.0.1:6379', '--out', NEVER_MADE], '10.0.0.1'],
  [['run', '--redis', 'localhost', '--out', NEVER_MADE], 'redis://127.0.0.1:6379'],
  [['engine', '--redis', 'redis://10.0.0.1:6379'], '10.0.0.1'],
  [['judge', '/nowhere'], '/nowhere'],
])('a value that names nothing that could be used is refused: %j', async (args, hint) => {
  expect(await refusal(...args)).toContain(hint)
})

test('options that do not go together are refused, empty or not', async () => {
  expect(await refusal('run', '--target', 'x.yaml', '--defect', 'shared-fifo')).toContain('[defect-elsewhere]')
  expect(await refusal('run', '--target', 'x.yaml', '--redis', 'redis://127.0.0.1:1')).toContain('[redis-elsewhere]')
})

test.each([[['--help']], [['help']], [['--version']], [['run', '--help']]])('%j is answered with 0', async (args) => {
  expect((await said(...args)).code).toBe(0)
})
