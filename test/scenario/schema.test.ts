// What a scenario may ask for: no more than the engine takes and the generator sends. Refuses what could not be measured.

import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { limitsSchema } from '../../engine/tenant.ts'
import { stepSchema } from '../../engine/workflow.ts'
import { scenarioSchema } from '../../harness/scenario/schema.ts'

const shipped = readFileSync(fileURLToPath(new URL('../../scenarios/noisy-neighbour.yaml', import.meta.url)), 'utf8')

/** What is wrong with the shipped scenario after a change, each as `path: message`. */
function faults(change: (scenario: ReturnType<typeof parse>) => void): string[] {
  const scenario = parse(shipped)
  change(scenario)
  const issues = scenarioSchema.safeParse(scenario).error?.issues ?? []
  return issues.map(({ path, message }) => `${path.join('.')}: ${message}`)
}

test('the shipped scenario is taken', () => {
  expect(faults(() => {})).toEqual([])
})

describe('a limit', () => {
  test.each(['startsPerMinute', 'concurrentRuns', 'maxRunMs', 'maxQueued'] as const)(
    'is as large as the engine takes, and no larger: %s',
    (name) => {
      const engineTakes = limitsSchema.shape[name].unwrap().maxValue ?? 0
      expect(engineTakes).toBeGreaterThan(1)
      const set = (value: number) => faults(({ tenants }) => Object.assign(tenants[0].limits, { [name]: value }))
      expect(set(engineTakes)).toEqual([])
      expect(set(engineTakes + 1)).toEqual([expect.stringMatching(new RegExp(`^tenants\\.0\\.limits\\.${name}: .*<=`))])
    },
  )

  test('of step time is the engine’s too', () => {
    const takes = (ms: number) => stepSchema.safeParse({ type: 'sleep', ms }).success
    expect([takes(3_600_000), takes(3_600_001)]).toEqual([true, false])
    expect(faults(({ tenants }) => Object.assign(tenants[1], { stepMs: 3_600_000 }))).toEqual([])
    expect(faults(({ tenants }) => Object.assign(tenants[1], { stepMs: 3_600_001 }))).toHaveLength(1)
  })
})

describe('arrivals', () => {
  test.each([
    [[[2, 5000]], null],
    [[[3, 5000]], '15000 arrivals a second'],
    [[[64, 5000]], '320000 arrivals a second'],
    [
      [
        [1, 5000],
        [51, 100],
      ],
      '10100 arrivals a second',
    ],
  ])('of %j (tenants, each a second) are taken up to 10,000 a second together', (groups, said) => {
    const found = faults((scenario) => {
      const [quiet, noisy] = scenario.tenants
      scenario.tenants = [...groups.map(([count, rate]) => ({ ...quiet, count, arrivalsPerSecond: rate })), noisy]
    })
    expect(found).toEqual(said === null ? [] : [expect.stringContaining(said)])
    expect(found.join()).toContain(said === null ? '' : 'at most 10000')
  })
})

test('a block must be longer than its settling', () => {
  const settle = (settleMs: number) => faults(({ blocks }) => Object.assign(blocks, { settleMs }))
  expect(settle(999)).toEqual([])
  for (const ms of [1000, 5000]) expect(settle(ms)).toEqual([expect.stringContaining('blocks.settleMs: must be less')])
})
