// The schedule of a run can be drawn again from its evidence: the journal's intended starts are those, each and exactly.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import type { Shape } from '../../harness/evidence/run.ts'
import { Ledger } from '../../harness/load/ledger.ts'
import { scheduleTenants } from '../../harness/load/schedule.ts'
import { plans } from '../../harness/run/stand.ts'
import type { Scenario } from '../../harness/scenario/schema.ts'
import { type FakeCrew, RUN_SEED, scenario } from './fake-crew.ts'
import { begin, tidy } from './fake-run.ts'
import { dueOf, redrawn } from './journal.ts'

afterEach(tidy)

const shapes: Shape[] = ['poisson', 'uniform', { burst: { size: 7 } }, { ramp: { toPerSecond: 123.4, overMs: 3000 } }]
const [quiet, noisy] = scenario.tenants
if (quiet?.role !== 'quiet' || noisy?.role !== 'noisy') throw new Error('the fake scenario is not as it is known here')
const shaped: Scenario = {
  ...scenario,
  tenants: [
    ...shapes.map((schedule, i) => ({ ...quiet, count: 1, arrivalsPerSecond: 30.5 + 10 * i, schedule })),
    noisy,
  ],
}

/** Arrivals as the generator's thread has them, each answered after 4 ms. */
function drawFromSchedule(crew: FakeCrew): void {
  const ledger = new Ledger(scheduleTenants(RUN_SEED, plans(shaped, '').loads))
  const asBefore = crew.generator.collect
  crew.generator.collect = async (fromUs, toUs, withinMs) => {
    while (ledger.peekUs() < toUs) {
      const dueUs = ledger.peekUs()
      const seq = ledger.take()
      ledger.handed(seq, dueUs + 300)
      ledger.ended(seq, dueUs + 4000, 'ok')
    }
    return { ...(await asBefore(fromUs, toUs, withinMs)), operations: ledger.collect(toUs, toUs) }
  }
}

test(`arrivals of all four shapes are those that the evidence says, run seed ${RUN_SEED}`, async () => {
  const { crew, out, running, read } = begin({}, { scenario: shaped })
  drawFromSchedule(crew)
  await running
  const evidence = read()
  expect(evidence.quietTenants.map(({ ratePerSecond, shape }) => [ratePerSecond, shape])).toEqual([
    [30.5, 'poisson'],
    [40.5, 'uniform'],
    [50.5, { burst: { size: 7 } }],
    [60.5, { ramp: { toPerSecond: 123.4, overMs: 3000 } }],
  ])
  const due = dueOf(readFileSync(join(out, 'journal.ndjson'), 'utf8'))
  // About 12 s of some 250 arrivals a second.
  expect(due.length).toBeGreaterThan(2000)
  expect(due).toEqual(redrawn(evidence, due.length))
})
