// The two interference procedures against brute force and hand arithmetic, and the exact intervals against known values.

import { describe, expect, it } from 'vitest'
import { type Random, randomFor } from '../../harness/load/random.ts'
import { quantileInterval, quantileRanks, shareInterval } from '../../harness/verdict/binomial.ts'
import { BlockTails } from '../../harness/verdict/block-tail.ts'
import { binomialAtLeast, normalUpperTail, studentUpperTail } from '../../harness/verdict/distributions.ts'
import { type Edge, Exceedances, passEdge, signFlipAtMost, takeBack } from '../../harness/verdict/exceedance.ts'

const RUN_SEED = 31
const NEVER = Number.POSITIVE_INFINITY
const descending = (values: number[]) => Float64Array.from(values).sort().reverse()

/** Procedure X spelled out: sort the pool, count, flip every sign in turn. */
function bruteForce(edge: Edge, pairs: Array<{ off: number[]; on: number[] }>): { below: number; above: number } {
  const back = (y: number) => (edge.floorMs > 0 ? Math.min(y / edge.ratio, y - edge.floorMs) : y / edge.ratio)
  const backed = pairs.map(({ off, on }) => ({ off, on: on.map(back) }))
  const pool = backed.flatMap(({ off, on }) => [...off, ...on]).sort((a, b) => (a === b ? 0 : b > a ? 1 : -1))
  const u = pool[Math.ceil(pool.length / (edge.floorMs > 0 ? 100 : 80))] ?? 0
  const above = (values: number[]) => values.filter((value) => value > u).length
  const d = backed.map(({ off, on }) => Math.max(-2, Math.min(2, above(on) - above(off))))
  const observed = d.reduce((sum, x) => sum + x, 0)
  let below = 0
  let upper = 0
  for (let signs = 0; signs < 2 ** d.length; signs++) {
    const sum = d.reduce((total, x, i) => total + (signs & (1 << i) ? Math.abs(x) : -Math.abs(x)), 0)
    if (sum <= observed) below++
    if (sum >= observed) upper++
  }
  return { below: below / 2 ** d.length, above: upper / 2 ** d.length }
}

function randomPairs(random: Random, pairs: number): Array<{ off: number[]; on: number[] }> {
  // Whole milliseconds, so that ties are common; now and then an operation that never ends.
  const value = () => (random() < 0.005 ? NEVER : Math.ceil(10 / (0.02 + random())))
  const block = () => Array.from({ length: 30 + Math.floor(random() * 60) }, value)
  return Array.from({ length: pairs }, () => ({ off: block(), on: block() }))
}

describe('exceedances', () => {
  it(`agree with every sign flipped by hand, run seed ${RUN_SEED}`, () => {
    const random = randomFor(RUN_SEED, 'exceedances')
    for (let turn = 0; turn < 120; turn++) {
      const edge = { ratio: 0.5 + random() * 2, floorMs: turn % 3 === 0 ? 5 * random() : 0 }
      const pairs = randomPairs(random, 3 + (turn % 7))
      const samplesAtMost = pairs.reduce((sum, { off, on }) => sum + off.length + on.length, 0)
      const exceedances = new Exceedances(edge, samplesAtMost)
      for (const [k, { off, on }] of pairs.entries()) {
        exceedances.add(descending(off), takeBack(edge, descending(on)))
        const expected = bruteForce(edge, pairs.slice(0, k + 1))
        expect(exceedances.pBelow()).toBeCloseTo(expected.below, 12)
        expect(exceedances.pAbove()).toBeCloseTo(expected.above, 12)
      }
    }
  })

  it('need every one of 10 signs to agree for 1 in 1024', () => {
    expect(signFlipAtMost(10, 0, -10)).toBe(1 / 1024)
    expect(signFlipAtMost(0, 3, -2)).toBe(0.5)
    expect(signFlipAtMost(2, 1, 0)).toBe(5 / 8)
    expect(signFlipAtMost(0, 0, 0)).toBe(1)
  })

  it('take back the smaller of ratio and floor', () => {
    const values = Float64Array.of(NEVER, 100, 10)
    expect([...takeBack({ ratio: 2, floorMs: 0 }, values)]).toEqual([NEVER, 50, 5])
    expect([...takeBack({ ratio: 2, floorMs: 8 }, values)]).toEqual([NEVER, 50, 2])
  })
})

describe('block tails', () => {
  const block = (samples: number, largest: number) => descending([...Array(samples - 1).fill(0.5), largest])

  it('give Student t of the logarithms, by hand: ln 2, ln 4, ln 8 have t = 2√3 and p = 0.0371', () => {
    const tails = new BlockTails({ ratio: 1, floorMs: 0 }, 5000)
    for (const largest of [2, 4, 8]) tails.add(block(80, 1), block(80, largest))
    expect(tails.pAbove()).toBeCloseTo(0.5 * (1 - Math.sqrt(12 / 14)), 10)
  })

  it('subtract the allowed ratio, or the floor where it allows more', () => {
    const ratio = new BlockTails({ ratio: 2, floorMs: 0 }, 5000)
    const floor = new BlockTails({ ratio: 1, floorMs: 1 }, 5000)
    for (const largest of [4, 8, 16]) {
      ratio.add(block(80, 1), block(80, largest))
      floor.add(block(80, 1), block(80, largest))
    }
    expect(ratio.pAbove()).toBeCloseTo(0.5 * (1 - Math.sqrt(12 / 14)), 10)
    expect(floor.pAbove()).toBeCloseTo(ratio.pAbove(), 12)
  })

  it('merge pairs until each arm has 60 samples, and say nothing with two merged pairs', () => {
    const tails = new BlockTails({ ratio: 1, floorMs: 0 }, 5000)
    for (const largest of [2, 2, 2, 4, 4, 4, 8, 8]) tails.add(block(20, 1), block(20, largest))
    expect(tails.pAbove()).toBe(1)
    tails.add(block(20, 1), block(20, 8))
    expect(tails.pAbove()).toBeCloseTo(0.5 * (1 - Math.sqrt(12 / 14)), 10)
  })

  it('use the timeout for a response that never came', () => {
    const never = new BlockTails({ ratio: 1, floorMs: 0 }, 64)
    const late = new BlockTails({ ratio: 1, floorMs: 0 }, 64)
    for (const quiet of [1, 2, 4]) {
      never.add(block(80, quiet), block(80, NEVER))
      late.add(block(80, quiet), block(80, 64))
    }
    expect(never.pAbove()).toBe(late.pAbove())
    expect(never.pAbove()).toBeLessThan(0.01)
  })

  it('take the second largest of 100 samples', () => {
    const tails = new BlockTails({ ratio: 1, floorMs: 0 }, 5000)
    for (let i = 0; i < 3; i++) tails.add(block(100, 1), block(100, 1000))
    expect(tails.pAbove()).toBe(0.5)
  })
})

describe('exact intervals', () => {
  it('bound p99 from 299 samples when nothing exceeds and from 473 with one', () => {
    expect(quantileRanks(298, 0.99).high).toBe(299)
    expect(quantileRanks(299, 0.99).high).toBe(299)
    expect(quantileRanks(472, 0.99).high).toBe(472)
    expect(quantileRanks(473, 0.99).high).toBe(472)
    const values = descending([NEVER, ...Array(472).fill(7)])
    expect(quantileInterval(values, 990)).toEqual({ point: 7, low: 7, high: 7 })
    expect(quantileInterval(values.slice(0, 472), 990)?.high).toBe(NEVER)
    expect(quantileInterval(descending([]), 990)).toBeNull()
  })

  it('bound a share as Clopper and Pearson do', () => {
    expect(shareInterval(0, 10)).toEqual({ point: 0, low: 0, high: expect.closeTo(1 - 0.05 ** 0.1, 9) })
    expect(shareInterval(2000, 2000).low).toBeCloseTo(0.05 ** (1 / 2000), 9)
    expect(shareInterval(8, 10).low).toBeCloseTo(0.4931, 4)
    expect(shareInterval(8, 10).high).toBeCloseTo(0.9632, 4)
    expect(shareInterval(0, 0)).toEqual({ point: 0, low: 0, high: 1 })
  })

  it('rest on tail probabilities from the tables', () => {
    expect(studentUpperTail(2.763769, 10)).toBeCloseTo(0.01, 6)
    expect(studentUpperTail(-1, 1)).toBeCloseTo(0.75, 10)
    expect(normalUpperTail(1.959964)).toBeCloseTo(0.025, 7)
    expect(normalUpperTail(6) / 9.865876e-10).toBeCloseTo(1, 5)
    expect(binomialAtLeast(3, 5, 0.5)).toBeCloseTo(0.5, 12)
    expect(binomialAtLeast(99_500, 100_000, 0.995)).toBeGreaterThan(0.49)
  })
})

describe('the edge of a pass', () => {
  const edge = (interferenceRatio: number) =>
    passEdge({ p99Ms: 250, successRatio: 0.99, interferenceRatio, interferenceFloorMs: 10 })
  it('is the limit itself for a tight one, 1.3 times a wide one, and grows between them', () => {
    expect(edge(1.25)).toEqual({ ratio: 1.25, floorMs: 10 })
    expect(edge(1.4).ratio).toBeCloseTo(1.4 * 1.15, 9)
    expect(edge(1.5)).toEqual({ ratio: 1.3 * 1.5, floorMs: 13 })
    expect(edge(2)).toEqual({ ratio: 2.6, floorMs: 13 })
  })
})
