// The library, as a test suite of somebody else uses it: a target and a scenario in TypeScript, a run, an assertion.

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, expect, test, vi } from 'vitest'
import { assertPass, defineScenario, runScenario } from '../../harness/index.ts'
import { served, tidyForeign } from './foreign.ts'
import { folder, partywall, saved } from './partywall.ts'
import { tokens } from './systems/serve.ts'

const LIMIT_MS = 60_000
const limits = { startsPerMinute: 12_000, concurrentRuns: 64, maxRunMs: 5000, maxQueued: 2000 }
const scenario = defineScenario({
  kind: 'flood',
  scenario: 'short',
  question: 'Does the library say what the command line says?',
  tenants: [
    { role: 'quiet', count: 4, arrivalsPerSecond: 50, stepMs: 1, limits },
    { role: 'noisy', count: 1, stepMs: 10, limits },
  ],
  noise: { api: { requestsPerSecond: 300, connections: 30 } },
  blocks: { pairs: 3, lengthMs: 500, settleMs: 100, silence: 1, warmUpMs: 800 },
  objectives: { p99Ms: 250, successRatio: 0.99, interferenceRatio: 2 },
})
const fair = fileURLToPath(new URL('./targets/fair.ts', import.meta.url))

afterEach(async () => {
  vi.unstubAllEnvs()
  await tidyForeign()
})

test(
  'a run by a library call ends with a verdict, and an assertion that fails says its reasons',
  async () => {
    const { port } = await served('fair', { UNCHECKED: '1' })
    for (const [name, value] of Object.entries({ ...tokens, FAIR_PORT: String(port) })) vi.stubEnv(name, value)
    const out = join(folder(), 'run')
    const result = await runScenario({ scenario, target: fair, seed: 5, out })
    expect([result.verdict.outcome, result.evidence.target, result.evidence.runSeed]).toEqual([
      'fail',
      'fair server',
      5,
    ])
    expect(saved(out).verdict).toEqual(result.verdict)
    expect(() => assertPass(result)).toThrow(
      /short on fair server: fail\n {2}runs-stay-with-tenant.*broken[\s\S]*evidence: /,
    )
    expect(JSON.stringify(result)).not.toContain('token-')
  },
  LIMIT_MS,
)

test('the command line takes the same target and a scenario in a module', async () => {
  const file = join(folder(), 'scenario.mjs')
  writeFileSync(file, `export default ${JSON.stringify(scenario)}\n`)
  const { code, stdout } = await partywall('run', file, '--target', fair, '--dry-run')
  expect([code, stdout]).toEqual([0, expect.stringContaining(`short on ${fair}: Does the library`)])
})

test('modules that cannot be used end with 2, and say what, where and how to mend it', async () => {
  const file = join(folder(), 'mine.mjs')
  const cases: Array<[string, string[], RegExp]> = [
    ['export const x = 1', ['--target', file], /exports no default[\s\S]*defineTarget/],
    ['export default {', ['--target', file], /cannot be loaded: SyntaxError/],
    ['export default { name: "x" }', ['--target', file], /mine\.mjs: `provision` is missing/],
    ['export default { kind: "flood", scenario: "x", pairs: 3 }', [file], /mine\.mjs: .*unknown key `pairs`/],
  ]
  for (const [text, args, words] of cases) {
    writeFileSync(file, text)
    const { code, stderr } = await partywall('run', ...args)
    expect([code, stderr]).toEqual([2, expect.stringMatching(words)])
  }
  const { code, stderr } = await partywall('run', '--target', join(folder(), 'absent.ts'))
  expect([code, stderr]).toEqual([2, expect.stringContaining('cannot read the target file')])
})
