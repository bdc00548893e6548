// Reads the operations of a run's journal, and draws the run's schedule again from nothing but its evidence. Judges nothing.

import type { Evidence } from '../../harness/evidence/run.ts'
import { scheduleTenants } from '../../harness/load/schedule.ts'

/** One arrival: whose, its number in the run, and when it was due, microseconds after the generator's zero. */
export interface Due {
  tenant: string
  seq: number
  intendedUs: number
}

/** In the order in which they were due. */
export function dueOf(journal: string): Due[] {
  return journal
    .split('\n')
    .filter((line) => line.startsWith('{"t":"op"'))
    .map((line): Due => JSON.parse(line))
    .map(({ tenant, seq, intendedUs }) => ({ tenant, seq, intendedUs }))
    .sort((x, y) => x.seq - y.seq)
}

/** The first arrivals of the schedule of this evidence. */
export function redrawn({ runSeed, quietTenants }: Evidence, count: number): Due[] {
  const due: Due[] = []
  for (const { tenant, intendedUs } of scheduleTenants(runSeed, quietTenants)) {
    if (due.length === count) break
    due.push({ tenant: quietTenants[tenant]?.label ?? 'none', seq: due.length, intendedUs })
  }
  return due
}
