// The levels against their own definition: simulated Brownian motions must cross as often as the error allows.

import { describe, expect, it } from 'vitest'
import { randomFor } from '../../harness/load/random.ts'
import { normalUpperTail } from '../../harness/verdict/distributions.ts'
import { type Levels, levelsFor } from '../../harness/verdict/levels.ts'
import { normal } from './simulate.ts'

const RUN_SEED = 20
const PATHS = 200_000

/** Share of motions whose z at some look k ≥ 3 has an upper tail at or below that look's level. */
function crossings(levels: Float64Array[], pairs: number): number[] {
  const random = randomFor(RUN_SEED, 'brownian motion')
  const boundaries = levels.map((level) => Float64Array.from(level, (p, k) => quantile(p) * Math.sqrt(k)))
  const crossed = levels.map(() => 0)
  for (let path = 0; path < PATHS; path++) {
    const done = levels.map(() => false)
    let sum = 0
    for (let k = 1; k <= pairs; k++) {
      sum += normal(random)
      if (k < 3) continue
      for (const [which, boundary] of boundaries.entries()) {
        if (done[which] === false && sum >= (boundary[k] ?? 0)) {
          done[which] = true
          crossed[which] = (crossed[which] ?? 0) + 1
        }
      }
    }
  }
  return crossed.map((count) => count / PATHS)
}

function quantile(p: number): number {
  let low = 0
  let high = 9
  for (let turn = 0; turn < 50; turn++) {
    const middle = (low + high) / 2
    if (normalUpperTail(middle) > p) low = middle
    else high = middle
  }
  return low
}

const KNOWN: Array<[keyof Levels, Array<[k: number, level: number]>]> = [
  [
    'pass',
    [
      [11, 0.00127],
      [12, 0.00192],
      [14, 0.00372],
      [16, 0.00615],
      [18, 0.00913],
      [20, 0.0126],
      [25, 0.0226],
    ],
  ],
  [
    'failExceedance',
    [
      [12, 2.05e-6],
      [16, 3.32e-5],
      [20, 1.8e-4],
      [25, 7.08e-4],
    ],
  ],
  [
    'failTail',
    [
      [3, 1.44e-5],
      [6, 2.69e-5],
      [10, 6.42e-5],
      [16, 1.52e-4],
      [25, 3.59e-4],
    ],
  ],
]

describe('levels of the looks', () => {
  it('have their known values for 25 pairs and 4 tenants, to 1 %', () => {
    const levels = levelsFor(25, 4)
    for (const [which, values] of KNOWN) {
      for (const [k, level] of values) {
        expect(levels[which][k], `${which} at pair ${k}`).toBeGreaterThan(0.99 * level)
        expect(levels[which][k], `${which} at pair ${k}`).toBeLessThan(1.01 * level)
      }
    }
  })

  it(`are crossed as often as the error allows, in ${PATHS} motions of run seed ${RUN_SEED}`, () => {
    for (const pairs of [10, 25]) {
      const levels = levelsFor(pairs, 1)
      const [a, b, c] = crossings([levels.pass, levels.failExceedance, levels.failTail], pairs)
      // Four standard errors of the simulation.
      expect(Math.abs((a ?? 0) - 0.035)).toBeLessThan(0.0017)
      expect(Math.abs((b ?? 0) - 0.004)).toBeLessThan(0.0006)
      expect(Math.abs((c ?? 0) - 0.004)).toBeLessThan(0.0006)
    }
  })

  it('spend everything at the only look of three pairs', () => {
    const levels = levelsFor(3, 2)
    expect(levels.pass[3]).toBeCloseTo(0.035, 7)
    expect(levels.failExceedance[3]).toBeCloseTo(0.002, 7)
    expect(levels.failTail[3]).toBeCloseTo(0.002, 7)
  })

  it('are refused for fewer than three pairs or no tenant', () => {
    expect(() => levelsFor(2, 1)).toThrow('3 or more')
    expect(() => levelsFor(25, 0)).toThrow('1 or more')
  })
})
