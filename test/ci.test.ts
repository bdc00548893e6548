// .ci/run with an npm that is made up: what it calls, what it counts, how it ends. Refuses to install or run anything.

import { execFileSync, spawnSync } from 'node:child_process'
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, test } from 'vitest'

const root = fileURLToPath(new URL('..', import.meta.url))
let checkout: string
beforeEach(() => {
  checkout = join(mkdtempSync(join(tmpdir(), 'pw-ci-')), 'checkout')
  mkdirSync(join(checkout, '.ci'), { recursive: true })
  cpSync(join(root, '.ci/run'), join(checkout, '.ci/run'))
})
afterEach(() => rmSync(dirname(checkout), { recursive: true, force: true }))

/** @param codes exit codes of npm by its arguments; the others end with 0. @param tests the results that npm test leaves */
function ci(codes: Record<string, number>, tests: object | null) {
  const bin = join(checkout, 'bin')
  mkdirSync(bin)
  const leave = tests === null ? ':' : `printf '%s' '${JSON.stringify(tests)}' > "$PARTYWALL_TEST_RESULTS"`
  const cases = Object.entries(codes).map(([args, code]) => `'${args}') exit ${code} ;;`)
  const npm = [
    '#!/bin/sh',
    'echo "npm $*" >> calls',
    `[ "$*" = test ] && ${leave}`,
    'case "$*" in',
    ...cases,
    'esac',
    'exit 0',
  ]
  writeFileSync(join(bin, 'npm'), npm.join('\n'))
  chmodSync(join(bin, 'npm'), 0o755)
  const { status, stdout } = spawnSync('bash', ['.ci/run'], {
    cwd: checkout,
    encoding: 'utf8',
    env: { ...process.env, PATH: `${bin}:${process.env.PATH}` },
  })
  const calls = readFileSync(join(checkout, 'calls'), 'utf8').trim().split('\n')
  return { status, calls, said: stdout, last: stdout.trimEnd().split('\n').at(-1) }
}

const counts = (passed: number, failed: number, skipped: number) => {
  return { numPassedTests: passed, numFailedTests: failed, numPendingTests: skipped, numTodoTests: 0 }
}

test("runs the README's line, then what else must hold, then the gate", () => {
  const { status, calls, last } = ci({}, counts(400, 0, 2))
  expect(calls).toEqual([
    'npm ci',
    'npm run setup',
    'npm test',
    'npm run types',
    'npm run lint',
    'npm run unused',
    'npm start -- --budget 60s',
  ])
  expect([status, last]).toEqual([0, '405 passed, 0 failed, 2 skipped'])
  const line = /^step '(npm ci .*)'$/m.exec(readFileSync(join(root, '.ci/run'), 'utf8'))?.[1]
  expect(readFileSync(join(root, 'README.md'), 'utf8')).toContain(`\`\`\`sh\n${line}\n\`\`\``)
})

test('together with npm test runs every part of npm run check', () => {
  const { calls } = ci({}, counts(1, 0, 0))
  const check: string = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).scripts.check
  const parts = check.split(' && ').map((part) => part.replace(' -s', ''))
  expect(calls).toEqual(expect.arrayContaining(parts))
})

test('goes on after failures, counts each, and ends with 1', () => {
  const { status, calls, last } = ci({ test: 1, 'run lint': 1 }, counts(398, 2, 0))
  expect(calls.at(-1)).toBe('npm start -- --budget 60s')
  expect([status, last]).toEqual([1, '401 passed, 4 failed, 0 skipped'])
})

test('ends at once, with the closing line, where not even the tests were reached', () => {
  const { status, calls, last } = ci({ 'run setup': 4 }, null)
  expect(calls).toEqual(['npm ci', 'npm run setup'])
  expect([status, last]).toEqual([1, '0 passed, 1 failed, 0 skipped'])
})

test.each([
  [3, 0, '15 passed, 0 failed, 0 skipped', true],
  [1, 1, '14 passed, 1 failed, 0 skipped', false],
  [4, 1, '14 passed, 1 failed, 0 skipped', false],
])('takes a gate that ends with %i as %i', (gate, ended, line, aloud) => {
  const { status, said, last } = ci({ 'start -- --budget 60s': gate }, counts(10, 0, 0))
  expect([status, last]).toEqual([ended, line])
  expect(said.includes('INCONCLUSIVE')).toBe(aloud)
})

test('says that no suite needs the tools that lie beside the checkout', () => {
  mkdirSync(join(checkout, '../shared/tools'), { recursive: true })
  expect(ci({}, counts(1, 0, 0)).said).toContain('no suite needs them yet')
})

test('is executable', () => {
  const mode = execFileSync('git', ['ls-files', '--stage', '.ci/run'], { cwd: root, encoding: 'utf8' }).slice(0, 6)
  expect(mode).toBe('100755')
})
