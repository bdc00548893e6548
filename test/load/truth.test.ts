// The truth of the pathology suite, against cases that were worked out by hand. What it says is what every tool is held
// against, so it is held against nothing that it computes itself.

import { describe, expect, test } from 'vitest'
import { answersOf, type Pathology, pathologyNames, pathologyOf } from './pathologies.ts'
import { intendedStarts, quantilesFor, rankAt, toleranceMs, truthOf } from './truth.ts'

const RUN_SEED = 23
const S = 1e6

/** Response times, milliseconds, in the order of arrival; null for never. @param arrivalsMs ascending */
function responsesMs(pathology: Pathology, arrivalsMs: readonly number[]): (number | null)[] {
  const answers = answersOf(pathology)
  return arrivalsMs.map((ms) => {
    const us = answers(ms * 1000)
    return us === null ? null : Math.round(us - ms * 1000) / 1000
  })
}

describe('a server that', () => {
  test('stalls once holds what arrives meanwhile to the end of the stall', () => {
    const once: Pathology = { kind: 'stall', atUs: S, forUs: S / 2, everyUs: null }
    expect(responsesMs(once, [0, 999, 1000, 1250, 1499, 1500, 3000])).toEqual([1, 1, 501, 251, 2, 1, 1])
  })

  test('stalls periodically does so again after each period, and never before the first', () => {
    const again: Pathology = { kind: 'stall', atUs: S, forUs: 0.4 * S, everyUs: 2 * S }
    expect(responsesMs(again, [100, 1100, 1400, 2900, 3100, 5399])).toEqual([1, 301, 1, 1, 301, 2])
  })

  test('drains slowly starts nothing while it is closed, ends what it had begun, and then works the queue off', () => {
    const queue: Pathology = { kind: 'slow-drain', serviceUs: 10_000, atUs: S, forUs: 100_000 }
    expect(responsesMs(queue, [500, 995])).toEqual([10, 10])
    // One every 20 ms: the k-th since the closing starts at 1,100 + 10 k, so each waits 10 ms less than the one before.
    const arrivals = Array.from({ length: 13 }, (_, k) => 1000 + 20 * k)
    expect(responsesMs(queue, arrivals)).toEqual([110, 100, 90, 80, 70, 60, 50, 40, 30, 20, 10, 10, 10])
    // At exactly its rate the queue never gets shorter.
    expect(responsesMs(queue, [1000, 1010, 1020, 1030, 1040])).toEqual([110, 110, 110, 110, 110])
    // What waits for its turn when it closes waits for the opening as well.
    expect(responsesMs(queue, [990, 995])).toEqual([10, 115])
  })

  test('is hit by bursts serves the work of others first where it came first', () => {
    const shared: Pathology = { kind: 'burst', serviceUs: 10_000, everyUs: S, workUs: 100_000 }
    // 1,000: 100 before it. 1,050: the one before it ends at 1,110. 2,000: the next burst, the queue being empty.
    expect(responsesMs(shared, [500, 1000, 1050, 1300, 2000])).toEqual([10, 110, 70, 10, 110])
    // Two bursts that met nobody meanwhile are worked off at once in their own time.
    expect(responsesMs(shared, [3050])).toEqual([60])
  })

  test('has dead connections never answers on those that were asked meanwhile', () => {
    const dead: Pathology = { kind: 'dead', atUs: S, forUs: 0.2 * S }
    expect(responsesMs(dead, [999, 1000, 1199, 1200])).toEqual([1, null, null, 1])
  })

  test('speeds up takes evenly less time, down to that of a healthy one', () => {
    const quicker: Pathology = { kind: 'speed-up', slowUs: 200_000, overUs: 10 * S }
    expect(responsesMs(quicker, [-500, 0, 2500, 5000, 9990, 10_000, 20_000])).toEqual([200, 200, 150, 100, 1, 1, 1])
  })
})

describe(`the truth (run seed ${RUN_SEED})`, () => {
  const uniform = (ratePerSecond: number) => [{ ratePerSecond, shape: 'uniform' as const }]
  const truthMs = (ratePerSecond: number, pathology: Pathology) => {
    const [starts = []] = intendedStarts(RUN_SEED, uniform(ratePerSecond), { warmUpUs: S, windowUs: 20 * S })
    return truthOf(answersOf(pathology), starts).map((us) => us / 1000)
  }

  test('of one stall of 1 s in 20 s at 100/s: 100 of 2,000 arrivals wait, 10 ms apart', () => {
    const truth = truthMs(100, pathologyOf('stalls once', 100, 20 * S))
    expect(truth.length).toBe(2000)
    expect(truth.filter((ms) => ms > 1).length).toBe(100)
    expect([rankAt(truth, 0.5), rankAt(truth, 0.9)]).toEqual([1, 1])
    // The longest waits 1,001 ms less what its arrival was late for the stall, at most a gap; p99 is the 21st longest.
    const longest = rankAt(truth, 1)
    expect(longest).toBeGreaterThan(991)
    expect(longest).toBeLessThanOrEqual(1001)
    expect(rankAt(truth, 0.99)).toBeCloseTo(longest - 200, 2)
  })

  test('of dead connections: 4 % are never answered, which p99 shows and p90 does not', () => {
    const truth = truthMs(1000, pathologyOf('has dead connections', 1000, 20 * S))
    expect(truth.filter((ms) => ms === Number.POSITIVE_INFINITY).length).toBe(800)
    expect(rankAt(truth, 0.9)).toBe(1)
    expect(rankAt(truth, 0.99)).toBe(Number.POSITIVE_INFINITY)
  })

  test('of a server that speeds up: half of 200 ms at the median, at any rate', () => {
    for (const rate of [100, 1000]) {
      const truth = truthMs(rate, pathologyOf('speeds up', rate, 20 * S))
      expect(Math.abs(rankAt(truth, 0.5) - 100)).toBeLessThan(0.2)
      expect(Math.abs(rankAt(truth, 0.9) - 180)).toBeLessThan(0.2)
      expect(Math.abs(rankAt(truth, 0.99) - 198)).toBeLessThan(0.2)
    }
  })

  test('takes the arrivals that the generator draws, each tenant its own', () => {
    const loads = [...uniform(100), { ratePerSecond: 50, shape: 'poisson' as const }]
    const [first = [], second = []] = intendedStarts(RUN_SEED, loads, { warmUpUs: 2 * S, windowUs: 8 * S })
    expect(first.length).toBe(1000)
    expect(first.filter((us) => us < 0).length).toBe(200)
    // 500 expected, standard deviation 22: four of them are allowed.
    expect(Math.abs(second.length - 500)).toBeLessThan(90)
    expect(first).toEqual([...first].sort((x, y) => x - y))
  })

  test.each([100, 1000])('jumps at no percentile that is looked at, at %i/s', (rate) => {
    for (const name of pathologyNames) {
      const truth = truthMs(rate, pathologyOf(name, rate, 20 * S))
      for (const q of [0.5, 0.9, 0.99]) {
        // A thousandth of the arrivals more or less must not decide: their percentiles lie within the tolerance.
        const [less, here, more] = [q - 0.001, q, q + 0.001].map((at) => rankAt(truth, at)) as [number, number, number]
        if (here === Number.POSITIVE_INFINITY) expect(less).toBe(here)
        else expect(Math.max(here - less, more - here), `${name}, p${q * 100}`).toBeLessThan(toleranceMs(here))
      }
    }
  })
})

describe('a percentile', () => {
  test('is the value of the nearest rank, infinite where what is never answered reaches it', () => {
    const hundred = Array.from({ length: 100 }, (_, i) => i + 1)
    expect([0.5, 0.9, 0.99, 0.999].map((q) => rankAt(hundred, q))).toEqual([50, 90, 99, 100])
    const answers = (us: number) => (us === 0 ? null : us + 5)
    const one = truthOf(answers, [0, 10, 20])
    expect(one).toEqual([5, 5, Number.POSITIVE_INFINITY])
  })

  test('leaves out the warm-up, which stands in the queue all the same', () => {
    const queue = () => answersOf({ kind: 'slow-drain', serviceUs: 10, atUs: 1000, forUs: 1 })
    // -5 is served until 5, so 0 until 15; alone it would be served until 10.
    expect(truthOf(queue(), [-5, 0])).toEqual([15])
    expect(truthOf(queue(), [0])).toEqual([10])
  })

  test('of the last thousandth is looked at from 10,000 samples on', () => {
    expect(quantilesFor(9999)).toEqual([0.5, 0.9, 0.99])
    expect(quantilesFor(10_000)).toEqual([0.5, 0.9, 0.99, 0.999])
  })

  test('may be 5 % off, and 2 ms in any case', () => {
    expect([1, 40, 200, 1000].map(toleranceMs)).toEqual([2, 2, 10, 50])
  })
})
