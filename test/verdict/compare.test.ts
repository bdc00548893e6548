// Two simulated runs beside each other, with a known truth.

import { describe, expect, it } from 'vitest'
import { compareRuns } from '../../harness/verdict/compare.ts'
import { judge } from '../../harness/verdict/judge.ts'
import { simulateInput } from './simulate.ts'

const run = (runSeed: number, effect: number[] = [], unfinished = 0) => {
  const input = simulateInput({ runSeed, effect, unfinished, pairs: 10, tenants: 2 })
  return { input, verdict: judge(input) }
}

describe('two runs of the same truth, run seeds 100 to 115', () => {
  it('differ in at most as many figures as the confidence allows', () => {
    let different = 0
    let compared = 0
    for (let at = 0; at < 8; at++) {
      const { differences } = compareRuns(run(100 + 2 * at), run(101 + 2 * at))
      compared += differences.filter(({ changed }) => changed !== 'unknown').length
      different += differences.filter(({ changed }) => changed === 'more' || changed === 'less').length
    }
    expect(compared).toBe(96)
    expect(different).toBeLessThanOrEqual(Math.ceil(0.02 * compared))
  })
})

describe('a second run in which noise makes one tenant slower', () => {
  const found = compareRuns(run(7), run(8, [2.5]))
  const of = (tenant: string, what: string) => found.differences.find((d) => d.tenant === tenant && d.what === what)

  it('has more under noise and in its interference, for that tenant alone, with both figures and their samples', () => {
    expect(of('quiet-1', 'p99 under noise')).toMatchObject({ changed: 'more', unit: 'ms', samples: { a: 800, b: 800 } })
    expect(of('quiet-1', 'interference: p99 ratio noise/placebo')?.changed).toBe('more')
    expect(of('quiet-1', 'p99 under noise')?.ratio?.point).toBeGreaterThan(1.8)
    expect(of('quiet-1', 'p99 under noise')?.ratio?.point).toBeLessThan(3.3)
    expect(of('quiet-1', 'p99 under placebo')?.changed).toBe('no evidence')
    expect(of('quiet-2', 'p99 under noise')?.changed).toBe('no evidence')
  })

  it('is unknown where there is no sample', () => {
    expect(of('quiet-1', 'p99 under no noise')).toMatchObject({ changed: 'unknown', a: null, b: null })
  })

  it('is the same text each time', () => {
    expect(JSON.stringify(compareRuns(run(7), run(8, [2.5])))).toBe(JSON.stringify(found))
  })
})

it('operations that never end lower the success ratio by their share', () => {
  const { differences } = compareRuns(run(7), run(8, [], 8))
  const success = differences.find((d) => d.tenant === 'quiet-1' && d.what === 'success ratio under noise')
  expect(success).toMatchObject({ a: 1, b: 0.9, changed: 'less', difference: { point: expect.closeTo(-0.1, 9) } })
})

it('tenants of one run only are named, and findings that changed', () => {
  const other = run(8)
  other.input.quietTenants = ['quiet-1', 'quiet-9']
  const first = run(7)
  const broken = {
    ...other.verdict,
    findings: other.verdict.findings.map((f) => ({ ...f, finding: 'broken' as const })),
  }
  const { onlyInA, onlyInB, findings } = compareRuns(first, { ...other, verdict: broken })
  expect([onlyInA, onlyInB]).toEqual([['quiet-2'], ['quiet-9']])
  expect(findings).toEqual([{ probe: 'data-stays-with-tenant', a: 'held', b: 'broken' }])
})
