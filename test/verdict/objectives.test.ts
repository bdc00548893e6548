// Objectives by profile: what is asked of whom, each answer at its exact edge, and the error of a fail over many tenants, by
// exact calculation. Nothing here is sampled.

import { describe, expect, test } from 'vitest'
import type { SecondWindow, TenantWindow } from '../../harness/evidence/types.ts'
import { binomialAtLeast } from '../../harness/verdict/distributions.ts'
import { confidenceOf, familySize, largestLimitMs, objectivesOf, tightestMs } from '../../harness/verdict/objectives.ts'
import { judgeSeconds, judgeSuccess } from '../../harness/verdict/shares.ts'
import { judgeMax, judgePercentile } from '../../harness/verdict/slo.ts'

const scalar = { p99Ms: 250, successRatio: 0.99, interferenceRatio: 2, interferenceFloorMs: 0 }
const profiled = {
  ...scalar,
  profiles: {
    quiet: { p50Ms: 20, p999Ms: 800, maxMs: 2000, goodSeconds: { p99Ms: 300, share: 0.9 } },
    'quiet-2': { p99Ms: 100, p50Ms: 5, successRatio: 0.995 },
  },
}
const alone = confidenceOf(1)

/** `beyond` operations of `all` take 20 ms, the others 5. */
const responses = (beyond: number, all: number) => Float64Array.from({ length: all }, (_, i) => (i < beyond ? 20 : 5))

/** The first and the last count beyond the limit of each outcome. */
function edges(all: number, outcomeAt: (beyond: number) => string): Record<string, [number, number]> {
  const found: Record<string, [number, number]> = {}
  for (let beyond = 0; beyond <= all; beyond++) {
    const outcome = outcomeAt(beyond)
    found[outcome] = [found[outcome]?.[0] ?? beyond, beyond]
  }
  return found
}

describe('what is asked', () => {
  test('of a tenant without a profile is the p99 and the success ratio of the scenario', () => {
    expect(objectivesOf(scalar, 'quiet-1')).toEqual([
      { kind: 'percentile', name: 'p99', permille: 990, limitMs: 250 },
      { kind: 'success', share: 0.99 },
    ])
  })

  test('of a tenant is its own profile over its role’s over the scenario’s', () => {
    const brief = (tenant: string) =>
      objectivesOf(profiled, tenant).map((asked) => {
        const limit = 'share' in asked ? asked.share : asked.limitMs
        return `${'name' in asked ? `${asked.kind} ${asked.name}` : asked.kind} ${limit}`
      })
    const last = ['percentile p99.9 800', 'max 2000', 'seconds p99 0.9']
    expect(brief('quiet-1')).toEqual(['percentile p50 20', 'percentile p99 250', ...last, 'success 0.99'])
    expect(brief('quiet-2')).toEqual(['percentile p50 5', 'percentile p99 100', ...last, 'success 0.995'])
  })

  test('shares the error of a fail between all that has an interval, of all tenants', () => {
    expect(familySize(scalar, ['quiet-1', 'quiet-2'])).toBe(4)
    expect(familySize(profiled, ['quiet-1', 'quiet-2'])).toBe(10)
    expect(confidenceOf(10)).toEqual({ pass: 0.95, fail: 0.995 })
  })

  test('says how late our own sending may be, and when an open operation has missed everything', () => {
    expect(largestLimitMs(scalar)).toBe(250)
    expect(largestLimitMs(profiled)).toBe(2000)
    expect(tightestMs(profiled).map(({ name, limitMs }) => [name, limitMs])).toEqual([
      ['p50', 5],
      ['p99', 100],
    ])
  })
})

describe('a percentile', () => {
  test.each([
    // With none beyond, n operations pass from q^n ≤ 5 % on: n = ln 0.05 / ln q, rounded up.
    ['p50', 500, 5],
    ['p90', 900, 29],
    ['p99', 990, 299],
    ['p99.9', 999, 2995],
  ])('passes with no operation beyond its limit from as many as it wants on: %s', (name, permille, least) => {
    const judged = (n: number) => judgePercentile(responses(0, n), { name, permille, limitMs: 10 }, alone)
    expect([judged(least - 1).outcome, judged(least).outcome]).toEqual(['inconclusive', 'pass'])
    expect([judged(least - 1).high, judged(least).high]).toEqual([null, 5])
  })

  test.each([
    ['p50', 500, 1000],
    ['p90', 900, 1000],
    ['p99', 990, 2000],
    ['p99.9', 999, 5000],
  ])('changes its answer exactly where the binomial tail does: %s', (name, permille, all) => {
    const found = edges(all, (c) => judgePercentile(responses(c, all), { name, permille, limitMs: 10 }, alone).outcome)
    const permitted = (1000 - permille) / 1000
    const [, lastPass = -1] = found.pass ?? []
    const [firstFail = -1] = found.fail ?? []
    expect(1 - binomialAtLeast(lastPass + 1, all, permitted)).toBeLessThanOrEqual(0.05)
    expect(1 - binomialAtLeast(lastPass + 2, all, permitted)).toBeGreaterThan(0.05)
    expect(binomialAtLeast(firstFail, all, permitted)).toBeLessThanOrEqual(0.05)
    expect(binomialAtLeast(firstFail - 1, all, permitted)).toBeGreaterThan(0.05)
  })
})

describe('a maximum', () => {
  test('is as observed: broken by one operation, kept by none, and has no interval', () => {
    expect(judgeMax(responses(1, 500), 10)).toMatchObject({ outcome: 'fail', value: 20, beyond: 1, confidence: null })
    expect(judgeMax(responses(0, 1), 10)).toMatchObject({ outcome: 'pass', value: 5, low: null, high: null })
  })

  test('is broken by an operation that never ended, and left undecided by those that a cut left open', () => {
    const never = Float64Array.of(Number.POSITIVE_INFINITY, 5, 5)
    expect(judgeMax(never, 10)).toMatchObject({ outcome: 'fail', value: null })
    expect(judgeMax(never, 10, 1).outcome).toBe('inconclusive')
    expect(judgeMax(new Float64Array(), 10)).toMatchObject({ outcome: 'inconclusive', samples: 0 })
  })
})

describe('good seconds', () => {
  const asked = { name: 'p90', permille: 900, limitMs: 10, share: 0.8 }
  const second = (slow: number, change: Partial<SecondWindow> = {}): SecondWindow => {
    const responseUs = [[5000, 80 - slow] as const, [20_000, slow] as const]
    return { lengthUs: 800_000, offered: 80, open: 0, responseUs, ...change }
  }
  const windows = (...seconds: SecondWindow[][]): TenantWindow[] =>
    seconds.map((own) => {
      return { tenant: 'quiet-1', offered: 0, sent: 0, ok: 0, failed: 0, unfinished: 0, responseUs: [], seconds: own }
    })
  const judged = (...seconds: SecondWindow[][]) => judgeSeconds(windows(...seconds), asked, alone)

  test('are those whose percentile holds: 8 slow of 80 keep a p90, 9 do not, a failure is slow', () => {
    expect(judged([second(8)], [second(9)])).toMatchObject({ samples: 2, beyond: 1, value: 0.5, counted: 'seconds' })
    expect(judged([second(8, { offered: 81 })])).toMatchObject({ samples: 1, beyond: 1 })
  })

  test('are not counted where nothing was due, nor where a rest is shorter than half a second', () => {
    const rest = (lengthUs: number) => second(80, { lengthUs })
    expect(judged([second(0), rest(499_000)], [second(0, { offered: 0 })])).toMatchObject({ samples: 1, beyond: 0 })
    expect(judged([second(0), rest(500_000)], [rest(300_000)])).toMatchObject({ samples: 3, beyond: 2 })
  })

  test('pass and fail where the binomial does: 14 of 14 pass a share of 0.8, 13 of 13 do not', () => {
    const run = (good: number, bad: number) =>
      judged(...Array.from({ length: good + bad }, (_, i) => [second(i < good ? 0 : 80)])).outcome
    expect([run(13, 0), run(14, 0)]).toEqual(['inconclusive', 'pass'])
    expect([run(22, 8), run(18, 10)]).toEqual(['inconclusive', 'fail'])
    expect(judged().outcome).toBe('inconclusive')
  })

  test('of which a cut left operations open count against a pass and for no fail', () => {
    const run = (open: number) =>
      judged(...Array.from({ length: 20 }, () => [second(0, { offered: 100, open })])).outcome
    expect([run(0), run(20)]).toEqual(['fail', 'inconclusive'])
  })
})

describe('the chance of any wrong fail, every truth exactly at its limit', () => {
  const ALL = 2000
  /** P(one tenant's objective fails) over all counts beyond the limit, exact. */
  const wrong = (fails: (beyond: number) => boolean) => {
    let first = 0
    while (!fails(first)) first++
    return binomialAtLeast(first, ALL, 0.01)
  }
  const window = (bad: number): TenantWindow => {
    return { tenant: 'x', offered: ALL, sent: ALL, ok: ALL - bad, failed: bad, unfinished: 0, responseUs: [] }
  }
  const p99 = { name: 'p99', permille: 990, limitMs: 10 }

  test.each([4, 8, 32])('stays at or below 0.05 with %i tenants of two objectives each', (tenants) => {
    const confidence = confidenceOf(
      familySize(
        scalar,
        Array.from({ length: tenants }, (_, i) => `quiet-${i + 1}`),
      ),
    )
    const slow = wrong((c) => judgePercentile(responses(c, ALL), p99, confidence).outcome === 'fail')
    const unwell = wrong((c) => judgeSuccess([window(c)], 0.99, confidence).outcome === 'fail')
    // Whatever depends on whatever: the sum bounds it. Independent, it is a little less; the correction gives little away.
    expect(tenants * (slow + unwell)).toBeLessThanOrEqual(0.05)
    const independent = 1 - ((1 - slow) * (1 - unwell)) ** tenants
    expect(independent).toBeLessThanOrEqual(0.05)
    expect(independent).toBeGreaterThan(0.02)
    // Uncorrected, as each would be by itself, this is what it was.
    const before = wrong((c) => judgePercentile(responses(c, ALL), p99, alone).outcome === 'fail')
    expect(1 - (1 - before) ** (2 * tenants)).toBeGreaterThan(0.2)
  })

  test('of a wrong pass is at most 5 %: at its limit one tenant passes as rarely as before, and all must pass', () => {
    let last = -1
    const passes = (c: number, family: number) =>
      judgePercentile(responses(c, ALL), p99, confidenceOf(family)).outcome === 'pass'
    while (passes(last + 1, 64)) last++
    expect(passes(last, 1)).toBe(true)
    expect(passes(last + 1, 1)).toBe(false)
    expect(1 - binomialAtLeast(last + 1, ALL, 0.01)).toBeLessThanOrEqual(0.05)
  })
})
