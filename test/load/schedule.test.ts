import { expect, test } from 'vitest'
import { randomFor } from '../../harness/load/random.ts'
import { orderOfPairs, poisson, scheduleTenants } from '../../harness/load/schedule.ts'

test('a Poisson schedule has the stated rate and exponential gaps (run seed 7)', () => {
  const starts = poisson(100, 400e6, randomFor(7, 'test'))
  // 40,000 expected, standard deviation 200: four of them are allowed.
  expect(Math.abs(starts.length - 40_000)).toBeLessThan(800)
  const gaps = starts.slice(1).map((at, i) => at - (starts[i] ?? 0))
  const mean = gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length
  const variance = gaps.reduce((sum, gap) => sum + (gap - mean) ** 2, 0) / gaps.length
  expect(Math.sqrt(variance) / mean).toBeGreaterThan(0.97)
  expect(Math.sqrt(variance) / mean).toBeLessThan(1.03)
  const longer = gaps.filter((gap) => gap > mean).length / gaps.length
  expect(Math.abs(longer - Math.exp(-1))).toBeLessThan(0.01)
})

test('the same run seed gives the same schedule, another one another', () => {
  const once = scheduleTenants(1, [50, 50], 10e6)
  expect(scheduleTenants(1, [50, 50], 10e6)).toEqual(once)
  expect(scheduleTenants(2, [50, 50], 10e6)).not.toEqual(once)
})

test('arrivals are merged in ascending order and tenants draw from streams of their own', () => {
  const both = scheduleTenants(3, [100, 20], 20e6)
  for (let i = 1; i < both.length; i++) expect(both[i]?.intendedUs).toBeGreaterThanOrEqual(both[i - 1]?.intendedUs ?? 0)
  const alone = scheduleTenants(3, [100], 20e6)
  expect(both.filter(({ tenant }) => tenant === 0)).toEqual(alone)
})

test('the order of the arms is a fair coin (run seed 5, n=2,000)', () => {
  const first = orderOfPairs(5, 2000).filter(Boolean).length
  expect(Math.abs(first - 1000)).toBeLessThan(90)
})
