// Schedules: when every arrival is due, fixed by the run seed before the run and drawn as far as it goes. Pure and seeded;
// knows nothing of targets or clocks.

import { randomFor } from './random.ts'
import { type Load, startsOf } from './shapes.ts'

/** One arrival: which tenant (index into the run's quiet tenants) and when, microseconds after the generator's zero. */
export interface Arrival {
  tenant: number
  intendedUs: number
}

/**
 * All tenants' arrivals merged, ascending in time, without end. Each tenant draws from a stream of its own, so that its
 * arrivals stay what they are when others change. Regular shapes are staggered: tenant i of n begins i/n of a gap after
 * the first, which begins anywhere in its own, so that neither each other nor our own ticks are met in step.
 */
export function* scheduleTenants(runSeed: number, loads: readonly Load[]): Generator<Arrival> {
  const first = randomFor(runSeed, 'phase of regular arrivals')()
  const starts = loads.map((load, tenant) => {
    const phase = (first + tenant / loads.length) % 1
    return startsOf(load, phase, randomFor(runSeed, `arrivals of tenant ${tenant}`))[Symbol.iterator]()
  })
  const heads = starts.map((own) => own.next().value as number)
  if (heads.length === 0) return
  for (;;) {
    // At most 64 tenants: a look at each head costs less than keeping them in order.
    let tenant = 0
    let intendedUs = Number.POSITIVE_INFINITY
    for (let i = 0; i < heads.length; i++) {
      const head = heads[i] ?? Number.POSITIVE_INFINITY
      if (head < intendedUs) {
        tenant = i
        intendedUs = head
      }
    }
    yield { tenant, intendedUs }
    heads[tenant] = starts[tenant]?.next().value as number
  }
}

/** For each pair, whether noise comes first. */
export function orderOfPairs(runSeed: number, pairs: number): boolean[] {
  const random = randomFor(runSeed, 'order of the arms in each pair')
  return Array.from({ length: pairs }, () => random() < 0.5)
}
