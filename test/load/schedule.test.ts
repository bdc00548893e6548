import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Shape } from '../../harness/evidence/run.ts'
import { randomFor } from '../../harness/load/random.ts'
import { type Arrival, orderOfPairs, scheduleTenants } from '../../harness/load/schedule.ts'
import { type Load, peakPerSecond, startsOf } from '../../harness/load/shapes.ts'
import { scenarioSchema } from '../../harness/scenario/schema.ts'

function until<T>(values: Iterable<T>, isOver: (value: T) => boolean): T[] {
  const taken: T[] = []
  for (const value of values) {
    if (isOver(value)) break
    taken.push(value)
  }
  return taken
}

const startsBefore = (us: number, shape: Shape, ratePerSecond = 100, purpose = 'test', phase = 0) =>
  until(startsOf({ ratePerSecond, shape }, phase, randomFor(7, purpose)), (at) => at >= us)
const arrivalsBefore = (us: number, runSeed: number, loads: readonly Load[]): Arrival[] =>
  until(scheduleTenants(runSeed, loads), ({ intendedUs }) => intendedUs >= us)
const poisson = (...rates: number[]): Load[] => rates.map((ratePerSecond) => ({ ratePerSecond, shape: 'poisson' }))
const mixed: Load[] = [
  { ratePerSecond: 50, shape: 'poisson' },
  { ratePerSecond: 50, shape: 'uniform' },
  { ratePerSecond: 50, shape: { burst: { size: 10 } } },
  { ratePerSecond: 50, shape: { ramp: { toPerSecond: 150, overMs: 5000 } } },
]

describe('shapes (run seed 7)', () => {
  test('a Poisson schedule has the stated rate and exponential gaps', () => {
    const starts = startsBefore(400e6, 'poisson')
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

  test('a uniform schedule has equal gaps, at a rate that is no whole number of microseconds too', () => {
    expect(startsBefore(50_000, 'uniform', 100, 'test', 0.5)).toEqual([5000, 15_000, 25_000, 35_000, 45_000])
    const thirds = startsBefore(100e6, 'uniform', 3)
    expect(thirds.length).toBe(300)
    for (const [i, at] of thirds.entries()) expect(Math.abs(at - (i * 1e6) / 3)).toBeLessThanOrEqual(1)
  })

  test('a burst schedule sends its size at once, at the stated mean rate', () => {
    const starts = startsBefore(10e6, { burst: { size: 20 } }, 100)
    expect(starts.length).toBe(1000)
    for (const [i, at] of starts.entries()) expect(at).toBe(Math.floor(i / 20) * 200_000)
  })

  test.each([
    [100, 400],
    [400, 100],
    [200, 200],
  ])('a ramp from %i/s to %i/s over 100 s has the rate of each second, and stays at the last', (from, to) => {
    const starts = startsBefore(200e6, { ramp: { toPerSecond: to, overMs: 100_000 } }, from)
    const within = (aS: number, bS: number) => starts.filter((at) => at >= aS * 1e6 && at < bS * 1e6).length
    // Arrivals expected between a and b on the slope: the integral of from + (to-from) t/100.
    const slope = (a: number, b: number) => from * (b - a) + ((to - from) * (b * b - a * a)) / 200
    const spans = [0, 10, 30, 50, 70, 90].map((a) => [within(a, a + 10), slope(a, a + 10)] as const)
    spans.push([within(0, 100), slope(0, 100)], [within(100, 200), to * 100])
    for (const [seen, wanted] of spans) expect(Math.abs(seen - wanted)).toBeLessThan(4 * Math.sqrt(wanted))
  })

  test('every shape ascends in whole microseconds', () => {
    const shape = fc.constantFrom<Shape>(
      'poisson',
      'uniform',
      { burst: { size: 7 } },
      { ramp: { toPerSecond: 0.5, overMs: 300 } },
      { ramp: { toPerSecond: 5000, overMs: 300 } },
    )
    fc.assert(
      fc.property(
        shape,
        fc.double({ min: 0.5, max: 5000, noNaN: true }),
        fc.integer(),
        (of, ratePerSecond, runSeed) => {
          let [before, taken] = [0, 0]
          for (const at of startsOf({ ratePerSecond, shape: of }, 0.3, randomFor(runSeed, 'test'))) {
            expect(Number.isSafeInteger(at)).toBe(true)
            expect(at).toBeGreaterThanOrEqual(before)
            before = at
            if (++taken === 300) break
          }
        },
      ),
    )
  })

  test('the peak of a ramp is its higher end', () => {
    const ramp: Shape = { ramp: { toPerSecond: 300, overMs: 1 } }
    expect(peakPerSecond({ ratePerSecond: 100, shape: ramp })).toBe(300)
    expect(peakPerSecond({ ratePerSecond: 400, shape: ramp })).toBe(400)
    expect(peakPerSecond({ ratePerSecond: 100, shape: 'uniform' })).toBe(100)
  })
})

describe('all tenants', () => {
  test('the same run seed gives the same schedule, another one another', () => {
    const once = arrivalsBefore(10e6, 1, mixed)
    expect(once.length).toBeGreaterThan(2000)
    expect(arrivalsBefore(10e6, 1, mixed)).toEqual(once)
    for (let tenant = 0; tenant < 4; tenant++) {
      const of = (all: Arrival[]) => all.filter((arrival) => arrival.tenant === tenant)
      expect(of(arrivalsBefore(10e6, 2, mixed))).not.toEqual(of(once))
    }
  })

  test('arrivals are merged in ascending order and tenants draw from streams of their own', () => {
    const both = arrivalsBefore(20e6, 3, poisson(100, 20))
    for (let i = 1; i < both.length; i++)
      expect(both[i]?.intendedUs).toBeGreaterThanOrEqual(both[i - 1]?.intendedUs ?? 0)
    const alone = arrivalsBefore(20e6, 3, poisson(100))
    expect(both.filter(({ tenant }) => tenant === 0)).toEqual(alone)
  })

  test('regular tenants are staggered: four at 100/s make one arrival every 2.5 ms', () => {
    const loads = Array.from({ length: 4 }, (): Load => ({ ratePerSecond: 100, shape: 'uniform' }))
    const all = arrivalsBefore(10e6, 9, loads)
    expect(Math.abs(all.length - 4000)).toBeLessThanOrEqual(4)
    for (let i = 1; i < all.length; i++) {
      expect(Math.abs((all[i]?.intendedUs ?? 0) - (all[i - 1]?.intendedUs ?? 0) - 2500)).toBeLessThanOrEqual(1)
    }
  })

  test('arrivals go on: a schedule has no end of its own', () => {
    let [seen, last] = [0, 0]
    for (const { intendedUs } of scheduleTenants(4, poisson(0.1, 0.1))) {
      last = intendedUs
      if (++seen === 20_000) break
    }
    // 20,000 arrivals at 0.2/s take 100,000 s, and a little more than a day.
    expect(Math.abs(last / 1e6 - 100_000)).toBeLessThan(4000)
  })

  test('the order of the arms is a fair coin (run seed 5, n=2,000)', () => {
    const first = orderOfPairs(5, 2000).filter(Boolean).length
    expect(Math.abs(first - 1000)).toBeLessThan(90)
  })
})

describe('a scenario', () => {
  const limits = { startsPerMinute: 60, concurrentRuns: 1, maxRunMs: 1000, maxQueued: 10 }
  const withSchedule = (schedule: unknown) =>
    scenarioSchema.safeParse({
      scenario: 'shapes',
      question: 'Is the schedule read?',
      tenants: [
        { role: 'quiet', count: 1, arrivalsPerSecond: 10, stepMs: 1, limits, ...(schedule ? { schedule } : {}) },
        { role: 'noisy', count: 1, stepMs: 1, limits },
      ],
      noise: { api: { requestsPerSecond: 1, connections: 1 }, stream: { entriesPerSecond: 0 } },
      blocks: { pairs: 3, lengthMs: 500, settleMs: 0, silence: 1, warmUpMs: 500 },
      objectives: { p99Ms: 250, successRatio: 0.99, interferenceRatio: 2 },
    }).success

  test.each([undefined, 'poisson', 'uniform', { burst: { size: 10 } }, { ramp: { toPerSecond: 20, overMs: 1000 } }])(
    'may ask for the schedule %j',
    (schedule) => {
      expect(withSchedule(schedule)).toBe(true)
    },
  )

  test.each([
    'closed',
    { burst: { size: 0 } },
    { burst: { size: 10, everyMs: 100 } },
    { ramp: { toPerSecond: 0, overMs: 1000 } },
    { ramp: { toPerSecond: 20 } },
    { burst: { size: 1 }, ramp: { toPerSecond: 1, overMs: 1 } },
  ])('may not ask for the schedule %j', (schedule) => {
    expect(withSchedule(schedule)).toBe(false)
  })
})
