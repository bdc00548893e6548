// Schedules: when every arrival is due, fixed before the run. Pure and seeded; knows nothing of targets or clocks.

import { type Random, randomFor } from './random.ts'

/** One arrival: which tenant (index into the run's quiet tenants) and when, microseconds after the generator's zero. */
export interface Arrival {
  tenant: number
  intendedUs: number
}

/**
 * Intended starts of a Poisson process, whole microseconds, ascending.
 * @param ratePerSecond arrivals per second, above 0
 * @param horizonUs microseconds to cover, from 0
 * Gaps are exponential: -ln(1-u)/rate (inverse transform).
 */
export function poisson(ratePerSecond: number, horizonUs: number, random: Random): number[] {
  const starts: number[] = []
  let at = 0
  for (;;) {
    at += (-Math.log(1 - random()) / ratePerSecond) * 1e6
    if (at >= horizonUs) return starts
    starts.push(Math.floor(at))
  }
}

/** All tenants' arrivals merged, ascending in time; each tenant draws from a stream of its own. */
export function scheduleTenants(runSeed: number, ratesPerSecond: readonly number[], horizonUs: number): Arrival[] {
  const all: Arrival[] = []
  ratesPerSecond.forEach((rate, tenant) => {
    const random = randomFor(runSeed, `arrivals of tenant ${tenant}`)
    for (const intendedUs of poisson(rate, horizonUs, random)) all.push({ tenant, intendedUs })
  })
  return all.sort((x, y) => x.intendedUs - y.intendedUs || x.tenant - y.tenant)
}

/** For each pair, whether noise comes first. */
export function orderOfPairs(runSeed: number, pairs: number): boolean[] {
  const random = randomFor(runSeed, 'order of the arms in each pair')
  return Array.from({ length: pairs }, () => random() < 0.5)
}
