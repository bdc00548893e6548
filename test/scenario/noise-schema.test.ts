// What a scenario may say of its noise: each maker by itself, at least one, and none without bound. Judged through the file,
// as a user meets it.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { Failure } from '../../harness/failure.ts'
import { loadScenario, shippedScenarios } from '../../harness/scenario/load.ts'

const folder = mkdtempSync(join(tmpdir(), 'pw-noise-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

function load(noise: string) {
  const file = join(folder, 'scenario.yaml')
  const limits = 'limits: { startsPerMinute: 60, concurrentRuns: 1, maxRunMs: 100, maxQueued: 1 }'
  writeFileSync(
    file,
    `scenario: tried
question: Is this noise allowed?
tenants:
  - { role: quiet, count: 1, arrivalsPerSecond: 1, stepMs: 1, ${limits} }
  - { role: noisy, count: 1, stepMs: 1, ${limits} }
noise: ${noise}
blocks: { pairs: 3, lengthMs: 500, settleMs: 0, silence: 1, warmUpMs: 500 }
objectives: { p99Ms: 1, successRatio: 1, interferenceRatio: 2 }
`,
  )
  return loadScenario(file)
}

function refusal(noise: string): string {
  try {
    load(noise)
  } catch (error) {
    if (error instanceof Failure && error.kind === 'usage') return error.message
    throw error
  }
  throw new Error(`allowed: ${noise}`)
}

describe('the noise of a scenario', () => {
  test.each([
    '{ api: { requestsPerSecond: 5000, connections: 100 } }',
    '{ stream: { entriesPerSecond: 10000 } }',
    '{ slow: { requestsPerSecond: 5, connections: 5, runMs: 100 } }',
    '{ payload: { requestsPerSecond: 20, connections: 5, allowedBytes: 65536, aboveShare: 0.1 } }',
    '{ retry: { requestsPerSecond: 20, connections: 5, retries: 3 } }',
    '{ to: sink, api: { requestsPerSecond: 5, connections: 1 } }',
    '{ to: target, api: { requestsPerSecond: 5, connections: 1 } }',
    '{ api: { requestsPerSecond: 1000, connections: 100 }, stream: { entriesPerSecond: 0 } }',
  ])('may be %s', (noise) => {
    expect(load(noise)).toMatchObject({ scenario: 'tried' })
  })

  test.each([
    ['{}', 'noise: at least one of api, stream, slow, payload, retry'],
    ['{ stream: { entriesPerSecond: 0 } }', 'at least one of'],
    ['{ api: { requestsPerSecond: 5001, connections: 1 } }', 'at most 5,000 requests a second'],
    ['{ stream: { entriesPerSecond: 10001 } }', 'at most 10,000 entries a second'],
    [
      '{ api: { requestsPerSecond: 4000, connections: 1 }, retry: { requestsPerSecond: 1001, connections: 1, retries: 1 } }',
      '5001 requests a second in all; at most 5,000',
    ],
    [
      '{ payload: { requestsPerSecond: 2000, connections: 1, allowedBytes: 65536, aboveShare: 0 } }',
      '163840000 bytes of payload a second; at most 67,108,864',
    ],
    ['{ slow: { requestsPerSecond: 1, connections: 1 } }', 'noise.slow.runMs'],
    ['{ to: sink }', 'at least one of api, stream, slow, payload, retry'],
    ['{ to: nowhere, api: { requestsPerSecond: 5, connections: 1 } }', 'noise.to'],
    ['{ bogus: 1 }', 'unknown key `bogus` in noise'],
  ])('may not be %s', (noise, why) => {
    const said = refusal(noise)
    expect(said).toContain(why)
    expect(said).toContain(`${folder}/scenario.yaml:6:`)
  })

  test('that is without bound is told where it belongs', () => {
    for (const noise of [
      '{ api: { requestsPerSecond: 9000, connections: 1 } }',
      '{ stream: { entriesPerSecond: 90000 } }',
      '{ payload: { requestsPerSecond: 4000, connections: 1, allowedBytes: 65536, aboveShare: 0 } }',
    ]) {
      expect(refusal(noise)).toContain('floods without bound belong in `capacity`')
    }
  })

  test('of the shipped scenario `hogs` has every hog, and no flood beside them', () => {
    expect(shippedScenarios()).toContain('hogs')
    const scenario = loadScenario('hogs')
    if (scenario.kind === 'acts') throw new Error('hogs is a flood')
    expect(Object.keys(scenario.noise).sort()).toEqual(['payload', 'retry', 'slow'])
  })
})
