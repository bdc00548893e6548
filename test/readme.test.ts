// The READMEs are true: each command in README.md exists with its options, each path that a README names is there, each
// exit code is the documented one. Refuses a command that it cannot look up.

import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { posix } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { exitCodes } from '../harness/failure.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const read = (path: string) => readFileSync(posix.join(root, path), 'utf8')
const { scripts } = z.object({ scripts: z.record(z.string(), z.string()) }).parse(JSON.parse(read('package.json')))

const helps = new Map<string, string>()
/** What the command line says of itself; of one of its commands with a name. */
function help(command?: string): string {
  const args = [...(command === undefined ? [] : [command]), '--help']
  const key = args.join(' ')
  const known = helps.get(key)
  if (known !== undefined) return known
  const text = execFileSync(process.execPath, [posix.join(root, 'harness/cli/main.ts'), ...args], { encoding: 'utf8' })
  helps.set(key, text)
  return text
}

/** The commands that it lists. */
const commandNames = () => [...help().matchAll(/^\s+partywall (\w+)/gm)].map(([, name = '']) => name)

const hasOption = (command: string, option: string) => new RegExp(`^\\s+${option}\\b`, 'm').test(help(command))

/** Options in a text, as `--name`. */
const optionsIn = (text: string) => [...text.matchAll(/(?<![\w-])--[a-z][\w-]*/g)].map(([option]) => option)

/** The rows of the table of commands: what is said of each. */
function commandRows(markdown: string): Map<string, string> {
  const [, table = ''] = /^\| Command \| Does \|\n\|[-|]+\|\n((?:\|.*\n)+)/m.exec(markdown) ?? []
  return new Map([...table.matchAll(/^\| `(\w+)` \| (.*) \|$/gm)].map(([, name = '', does = '']) => [name, does]))
}

/** What the README says of options that the command line does not know: in its table, and in its prose. */
function optionFaults(markdown: string): string[] {
  const rows = commandRows(markdown)
  const inRows = [...rows].flatMap(([name, does]) => {
    return optionsIn(does).flatMap((option) => (hasOption(name, option) ? [] : [`${name} has no ${option}`]))
  })
  const prose = markdown.replace(/^```[\s\S]*?^```/gm, '').replace(/^\|.*$/gm, '')
  const inProse = optionsIn(prose).filter((option) => !commandNames().some((name) => hasOption(name, option)))
  return [...inRows, ...inProse.map((option) => `no command has ${option}`)]
}

function commandsOf(markdown: string): string[] {
  return [...markdown.matchAll(/^```sh\n([\s\S]*?)^```/gm)]
    .flatMap(([, block = '']) => block.split('\n'))
    .filter((line) => line.trim() !== '' && !line.startsWith('#'))
    .flatMap((line) => line.split('&&').map((part) => part.trim()))
}

/** What is wrong with a command of the README, or null. */
function commandFault(command: string): string | null {
  if (command === 'npm ci') return null
  const npm = /^npm (?:run (?:-s )?(?<script>\S+)|(?<short>start|test))(?: -- (?<rest>.+))?$/.exec(command)?.groups
  const script = npm?.script ?? npm?.short
  if (script === undefined) return `\`${command}\` is of no form that is known here`
  const line = scripts[script]
  if (line === undefined) return `package.json has no script ${script}`
  const own = /^node(?: --v8-\S+)* harness\/cli\/main\.ts ?(.*)$/.exec(line)?.[1]
  if (own === undefined) return npm?.rest === undefined ? null : `the script ${script} takes no arguments of ours`
  const [name = '', ...rest] = `${own} ${npm?.rest ?? ''}`.trim().split(/\s+/)
  if (!new RegExp(`^\\s+partywall ${name}\\b`, 'm').test(help())) return `there is no command ${name}`
  const unknown = rest.filter((word) => word.startsWith('--') && !hasOption(name, word))
  return unknown.length === 0 ? null : `${name} has no ${unknown.join(', ')}`
}

/** Paths in backticks that hold a slash, and targets of links; a run's folder and a pattern are no paths of ours. */
function pathsOf(markdown: string): string[] {
  const prose = markdown.replace(/^```[\s\S]*?^```/gm, '')
  const quoted = [...prose.matchAll(/`([\w.@-]+(?:\/[\w.@-]*)+)`/g)].map(([, path = '']) => path)
  const linked = [...prose.matchAll(/\]\(([^)#\s]+)/g)]
    .map(([, path = '']) => path)
    .filter((path) => !/^https?:/.test(path))
  const files = [...prose.matchAll(/`([A-Z]{4,}(?:\.md)?|[a-z.-]+\.(?:ts|test\.ts))`/g)].map(([, path = '']) => path)
  return [...quoted, ...linked, ...files.filter((path) => path !== 'RUN')]
}

describe('README.md', () => {
  const commands = commandsOf(read('README.md'))

  test('begins with the two lines that do everything', () => {
    expect(read('README.md')).toContain('```sh\nnpm ci && npm run setup && npm start\n```')
    expect(read('README.md')).toContain('```sh\nnpm ci && npm run setup && npm test\n```')
    expect(commands.length).toBeGreaterThanOrEqual(10)
  })

  test.each([...new Set(commands)])('names a command that exists: %s', (command) => {
    expect(commandFault(command)).toBeNull()
  })

  test('has a row for every command of the command line, and for no other', () => {
    const names = commandNames()
    expect(names.length).toBeGreaterThanOrEqual(4)
    expect([...commandRows(read('README.md')).keys()].sort()).toEqual(names.sort())
  })

  test('names no option that its command does not have', () => {
    expect([...commandRows(read('README.md')).values()].flatMap(optionsIn).length).toBeGreaterThanOrEqual(5)
    expect(optionFaults(read('README.md'))).toEqual([])
  })

  test('gives every exit code its number', () => {
    const rows = [...read('README.md').matchAll(/^\| (\d+) \| (\w+)/gm)].map(([, code, word]) => [word, Number(code)])
    expect(Object.fromEntries(rows)).toEqual(exitCodes)
  })
})

describe('every README', () => {
  test.each([
    'README.md',
    'engine/README.md',
    'harness/README.md',
    'reports/README.md',
    'scenarios/README.md',
    'test/README.md',
    'test/bench/README.md',
  ])('names paths that exist: %s', (readme) => {
    const near = posix.dirname(readme)
    const missing = pathsOf(read(readme)).filter(
      (path) => ![path, posix.join(near, path)].some((place) => existsSync(posix.join(root, place))),
    )
    expect(missing).toEqual([])
  })
})

describe('the checker', () => {
  test.each([
    ['npm run absent', 'no script absent'],
    ['npm run -s partywall -- absent', 'no command absent'],
    ['npm run -s partywall -- run --absent', 'run has no --absent'],
    ['npm start -- --absent', 'run has no --absent'],
    ['npm test -- --absent', 'takes no arguments'],
    ['curl example.org', 'of no form'],
  ])('finds a command that does not exist: %s', (command, why) => {
    expect(commandFault(command)).toContain(why)
  })

  test('finds an option that is not there, in a row of the table and in the prose', () => {
    const table =
      '| Command | Does |\n|---|---|\n| `list` | lists. `--json`, `--fix` |\n| `run` | runs. `--absent X` |\n'
    expect([...commandRows(table).keys()]).toEqual(['list', 'run'])
    expect(optionFaults(`${table}\nWith --json, with \`--gone\`; a-dash--inside is none.\n`)).toEqual([
      'list has no --fix',
      'run has no --absent',
      'no command has --gone',
    ])
  })

  test('finds paths in backticks and in links', () => {
    expect(pathsOf('see `engine/x.ts`, [y](z.md), `LICENSE`, `main.ts` and `--out`')).toEqual([
      'engine/x.ts',
      'z.md',
      'LICENSE',
      'main.ts',
    ])
  })
})
