// The isolation metrics on figures worked out by hand.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  jainIndex,
  minMaxRatio,
  overLevels,
  qosInfluence,
  servedShare,
  starvationUs,
} from '../../harness/verdict/isolation.ts'

const level = (refMs: number, disrMs: number, disrLoad: number) => {
  return {
    tenants: [
      { refMs, disrMs },
      { refMs: 10, disrMs: 10 },
    ],
    refLoad: 400,
    disrLoad,
  }
}

describe('the influence of a disruption', () => {
  it('is the rise of the p99s over the rise of the load', () => {
    // p99s 10 + 10 → 14 + 10: Δz = 4/20; load 400 → 1,200: Δw = 2.
    expect(qosInfluence(level(10, 14, 1200))).toBeCloseTo(0.1, 12)
    expect(qosInfluence(level(10, 10, 1200))).toBe(0)
    expect(overLevels([level(10, 14, 1200), level(10, 40, 1200)])).toEqual({
      average: (0.1 + 0.75) / 2,
      largest: 0.75,
      levels: 2,
    })
  })

  it('is unknown without more load, without tenants, or with a p99 that never came', () => {
    expect(qosInfluence(level(10, 14, 400))).toBeNull()
    expect(qosInfluence({ tenants: [], refLoad: 400, disrLoad: 800 })).toBeNull()
    expect(qosInfluence(level(10, Number.POSITIVE_INFINITY, 1200))).toBeNull()
    expect(overLevels([level(10, 14, 400)])).toBeNull()
  })
})

describe('evenness of service', () => {
  it('sees 1 starved tenant of 100 by the min-max ratio, and hardly by Jain’s index', () => {
    const shares = [0, ...Array.from({ length: 99 }, () => 1)]
    expect(minMaxRatio(shares)).toBe(0)
    expect(jainIndex(shares)).toBeCloseTo(0.99, 12)
    expect(minMaxRatio([0.5, 1])).toBe(0.5)
    expect(servedShare(50, 100, 80)).toBeCloseTo(0.625, 12)
    expect([minMaxRatio([]), jainIndex([0, 0])]).toEqual([null, null])
  })
})

describe('starvation', () => {
  it('is the longest time with something due and nothing done', () => {
    const done = [
      { intendedUs: 0, endUs: 10 },
      { intendedUs: 5, endUs: 60 },
      { intendedUs: 100, endUs: 110 },
    ]
    // Due from 0; done at 10 and at 60; idle until 100.
    expect(starvationUs(done, 0, 200)).toBe(50)
    expect(starvationUs([...done, { intendedUs: 120, endUs: null }], 0, 200)).toBe(80)
    expect(starvationUs([], 0, 200)).toBe(0)
    expect(starvationUs([{ intendedUs: -50, endUs: 30 }], 0, 200)).toBe(30)
  })

  it('is never longer than the window, nor than the longest response where one thing is due at a time', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(1000), fc.nat(500)), { maxLength: 30 }), (pairs) => {
        const operations = pairs.map(([intendedUs, took]) => ({ intendedUs, endUs: intendedUs + took }))
        const longest = Math.max(0, ...pairs.map(([, took]) => took))
        const found = starvationUs(operations, 0, 2000)
        expect(found).toBeLessThanOrEqual(longest)
      }),
    )
  })
})
