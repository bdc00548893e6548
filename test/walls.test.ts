// The walls between the rooms, as architecture.md draws them: who may import whom, what may do no I/O, what a file may
// not hold. Reads the sources, runs none of them. Refuses an import that it cannot read: a wall with a hole is none.

import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { posix } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'

const root = fileURLToPath(new URL('..', import.meta.url))
type Sources = ReadonlyMap<string, string>

const STATIC = /^\s*import\s+(?:type\s+)?(?:[\w*{}\s,$]+?\s+from\s*)?['"]([^'"]+)['"]/gm
const AGAIN = /^\s*export\s+(?:type\s+)?(?:\*(?:\s+as\s+\w+)?|\{[^}]*\})\s*from\s*['"]([^'"]+)['"]/gm
const DYNAMIC = /\bimport\(\s*([^)]*?)\s*\)/g
/** A file that is started as a thread or a process: no import, but a way to reach it all the same. */
const STARTED = /\bnew URL\(\s*['"](\.[^'"]*\.ts)['"]\s*,\s*import\.meta\.url/g

function withoutComments(source: string): string {
  return source.replace(/^\s*\/\/.*$/gm, '').replace(/\/\*[\s\S]*?\*\//g, '')
}

interface Reach {
  /** Specifiers; relative ones as paths from the root. */
  imports: string[]
  started: string[]
  unreadable: string[]
}

function reachOf(path: string, text: string): Reach {
  const source = withoutComments(text)
  const place = (specifier: string) =>
    specifier.startsWith('.') ? posix.join(posix.dirname(path), specifier) : specifier
  const found = [STATIC, AGAIN].flatMap((pattern) => [...source.matchAll(pattern)].map(([, name = '']) => name))
  const unreadable: string[] = []
  for (const [, argument = ''] of source.matchAll(DYNAMIC)) {
    const literal = /^['"]([^'"]+)['"]$/.exec(argument)?.[1]
    if (literal === undefined) unreadable.push(argument)
    else found.push(literal)
  }
  const started = [...source.matchAll(STARTED)].map(([, name = '']) => place(name))
  return { imports: found.map(place), started, unreadable }
}

const under = (path: string, ...folders: string[]) => folders.some((folder) => path.startsWith(`${folder}/`))
const isOurs = (path: string) => under(path, 'engine', 'harness', 'reports', 'scenarios', 'test')

/** A user's own module is imported by its path, in this one place. */
const IMPORTS_A_PATH = 'harness/user-module.ts'

const OUTWARD = new Set(['ioredis', 'undici', 'autocannon'])
const OUTWARD_ALLOWED = ['harness/target', 'harness/observers', 'harness/stack', 'harness/load']
const IO = /^(node:)?(fs|fs\/promises|net|http|https|http2|tls|dgram|dns|child_process|worker_threads|cluster)$/

/** The verdict's resampling needs the seeded numbers; they are pure, and kept beside the schedule, their first user. */
const VERDICT_ALSO = new Set(['harness/load/random.ts'])

/** One import's fault, or null. */
function fault(from: string, to: string): string | null {
  const room = (folder: string) => under(from, folder)
  if (room('engine') && isOurs(to) && !under(to, 'engine')) return 'the engine imports nothing of ours'
  if (room('harness/evidence') && isOurs(to) && !under(to, 'harness/evidence'))
    return 'evidence imports nothing of ours'
  if (room('harness') && under(to, 'engine')) return 'the harness never imports the engine'
  if (room('harness/verdict') && isOurs(to) && !under(to, 'harness/verdict', 'harness/evidence')) {
    return VERDICT_ALSO.has(to) ? null : 'the verdict imports evidence only'
  }
  if (room('reports') && isOurs(to) && !under(to, 'reports', 'harness/evidence')) return 'reports import evidence only'
  const mayReport = from === 'harness/cli/run.ts' || from === 'harness/cli/report.ts'
  if (room('harness') && under(to, 'reports') && !mayReport) return 'only the commands run and report call reports'
  const mayReachOut = under(from, ...OUTWARD_ALLOWED) || from === 'harness/run/prober.ts'
  if (room('harness') && OUTWARD.has(to) && !mayReachOut) return 'the harness reaches a system in few places only'
  if (room('reports') && OUTWARD.has(to)) return 'reports reach no system'
  if (!room('test') && under(to, 'test')) return 'only tests import tests'
  if (room('test/live/systems') && isOurs(to) && !under(to, 'test/live/systems'))
    return 'a foreign system knows nothing of ours'
  return null
}

/** Everything that one file reaches, the way to it included. */
function closure(sources: Sources, start: string): Map<string, string[]> {
  const ways = new Map<string, string[]>([[start, [start]]])
  for (const [path, way] of ways) {
    const text = sources.get(path)
    if (text === undefined) continue
    const { imports, started } = reachOf(path, text)
    for (const next of [...imports, ...started]) if (!ways.has(next)) ways.set(next, [...way, next])
  }
  return ways
}

const isPure = (path: string) =>
  path === 'harness/load/schedule.ts' || under(path, 'harness/probes', 'harness/verdict', 'reports')

function faults(sources: Sources): string[] {
  const found: string[] = []
  for (const [path, text] of sources) {
    const { imports, unreadable } = reachOf(path, text)
    for (const to of imports) {
      const why = fault(path, to)
      if (why) found.push(`${path} imports ${to}: ${why}`)
      if (/^\.|\/$/.test(to) || (isOurs(to) && !sources.has(to)))
        found.push(`${path} imports ${to}, which is not there`)
    }
    if (path !== IMPORTS_A_PATH)
      for (const what of unreadable) found.push(`${path}: import(${what}) cannot be checked; name the file`)
    if (isPure(path)) {
      for (const [to, way] of closure(sources, path)) {
        if (IO.test(to) || OUTWARD.has(to)) found.push(`${way.join(' -> ')}: this does no I/O`)
      }
    }
  }
  for (const door of ['engine/index.ts', 'engine/main.ts']) {
    for (const [to, way] of closure(sources, door)) {
      if (under(to, 'engine/defects')) found.push(`${way.join(' -> ')}: a defect has its own door`)
      // A path put together at run time is not seen above; its parts are.
      if (/['"`/]defects['"`/]/.test(withoutComments(sources.get(to) ?? '')))
        found.push(`${to} names the defects' folder`)
    }
  }
  return found
}

const LONGEST = 300
const EXCUSE = 'over 300 lines:'

function shapeFaults(path: string, text: string): string[] {
  const found: string[] = []
  const banned = posix
    .dirname(path)
    .split('/')
    .find((name) => /^(utils?|helpers?|commons?|libs?)$/.test(name))
  if (banned) found.push(`${path}: a folder named ${banned} says nothing about what is in it`)
  const lines = text.split('\n').length - 1
  const excused = text.split('\n').slice(0, 10).join('\n').includes(EXCUSE)
  if (isOurs(path) && lines > LONGEST && !excused) found.push(`${path} has ${lines} lines and gives no reason for it`)
  return found
}

// A class around one letter of each, so that this file does not hold what it looks for.
const MACHINE_PATH = /(?<![\w.)}-])[/](work|home|root)[/]/
const REGISTRY = /registry[.](npmjs|yarnpkg)|npmjs[.](org|com)|artifactor[y]|pypi[.]org|proxy[.]golang|"resolve[d]":/i

function placeFaults(path: string, text: string): string[] {
  const found: string[] = []
  text.split('\n').forEach((line, i) => {
    if (MACHINE_PATH.test(line)) found.push(`${path}:${i + 1} holds a machine's path`)
    if (REGISTRY.test(line)) found.push(`${path}:${i + 1} holds a registry's address`)
  })
  return found
}

function files(...options: string[]): string[] {
  const listed = execFileSync('git', ['ls-files', '-z', ...options], { cwd: root, encoding: 'utf8' })
  return listed.split('\0').filter((path) => path !== '' && existsSync(posix.join(root, path)))
}

const read = (path: string) => readFileSync(posix.join(root, path), 'utf8')

describe('the walls', () => {
  // New files count before they are committed.
  const sources = new Map(
    files('--cached', '--others', '--exclude-standard')
      // This file's planted violations are text, and would be taken for its own.
      .filter((path) => isOurs(path) && path.endsWith('.ts') && path !== 'test/walls.test.ts')
      .map((path) => [path, read(path)]),
  )

  test('stand between all rooms', () => {
    expect(sources.size).toBeGreaterThan(50)
    expect(faults(sources)).toEqual([])
  })

  test('hold files that are short and folders that are named for what is in them', () => {
    expect(files().flatMap((path) => shapeFaults(path, read(path)))).toEqual([])
  })

  test('let through neither a path of a machine nor the address of a registry', () => {
    expect(files().flatMap((path) => placeFaults(path, read(path)))).toEqual([])
  })
})

describe('the checker', () => {
  const innocent: [string, string][] = [
    ['engine/index.ts', "import { a } from './a.ts'\n"],
    ['engine/a.ts', 'export const a = 1\n'],
    ['engine/main.ts', "import './index.ts'\n"],
    ['engine/defects/main.ts', "import '../index.ts'\n"],
    ['harness/evidence/types.ts', 'export interface E { a: 1 }\n'],
    ['harness/stack/redis.ts', "import { Redis } from 'ioredis'\nnew Redis()\n"],
    ['harness/verdict/judge.ts', "// import x from 'node:fs'\nimport type { E } from '../evidence/types.ts'\n"],
    ['reports/html.ts', "import type { E } from '../harness/evidence/types.ts'\n"],
    ['harness/cli/run.ts', "import { html } from '../../reports/html.ts'\n"],
  ]
  const with_ = (path: string, text: string) => faults(new Map([...innocent, [path, text]]))

  test('finds nothing where nothing is wrong', () => {
    expect(faults(new Map(innocent))).toEqual([])
  })

  test.each([
    ['engine/b.ts', "import type { E } from '../harness/evidence/types.ts'\n", 'the engine imports nothing'],
    ['engine/a.ts', "export * from './defects/main.ts'\n", 'its own door'],
    ['engine/a.ts', "new Worker(new URL('./defects/main.ts', import.meta.url))\n", 'its own door'],
    ['engine/a.ts', "const x = await import('./defects/main.ts')\n", 'its own door'],
    ['engine/a.ts', 'const x = await import(name)\n', 'cannot be checked'],
    ['engine/a.ts', "const folder = 'defects'\n", "names the defects' folder"],
    ['harness/evidence/b.ts', "import '../stack/redis.ts'\n", 'evidence imports nothing'],
    ['harness/cli/list.ts', "import { a } from '../../engine/index.ts'\n", 'never imports the engine'],
    ['harness/run/a.ts', "import {\n  request,\n  type Pool,\n} from 'undici'\n", 'in few places only'],
    ['harness/run/a.ts', "import { html } from '../../reports/html.ts'\n", 'only the commands'],
    ['reports/junit.ts', "import { judge } from '../harness/verdict/judge.ts'\n", 'reports import evidence only'],
    ['harness/verdict/slo.ts', "import { r } from '../stack/redis.ts'\n", 'the verdict imports evidence only'],
    ['harness/probes/a.ts', "import '../stack/redis.ts'\n", 'does no I/O'],
    ['harness/load/schedule.ts', "import { readFileSync } from 'node:fs'\n", 'does no I/O'],
    ['reports/a.ts', "import fs from 'fs'\n", 'does no I/O'],
    ['harness/run/a.ts', "import { a } from './gone.ts'\n", 'is not there'],
    ['test/live/systems/a.ts', "import '../../../engine/index.ts'\n", 'a foreign system'],
  ])('finds a planted violation in %s', (path, text, why) => {
    expect(with_(path, text).join('\n')).toContain(why)
  })

  test('finds a long file, a nameless folder, a path and an address', () => {
    const long = '\n'.repeat(LONGEST + 1)
    expect(shapeFaults('engine/a.ts', long)).toHaveLength(1)
    expect(shapeFaults('engine/a.ts', '\n'.repeat(LONGEST))).toEqual([])
    expect(shapeFaults('engine/a.ts', `// ${EXCUSE} one table\n${long}`)).toEqual([])
    expect(shapeFaults('harness/utils/a.ts', '')).toHaveLength(1)
    expect(placeFaults('a.ts', `see ${['', 'home', 'me'].join('/')}`)).toEqual(["a.ts:1 holds a machine's path"])
    expect(placeFaults('a.ts', 'see /v1/work and ../home/x')).toEqual([])
    expect(placeFaults('a.ts', `https://${['registry', 'npmjs', 'org'].join('.')}/x`)).toHaveLength(1)
  })
})
