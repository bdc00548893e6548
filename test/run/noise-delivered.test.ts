// The precondition that the noise was there: what failed, came late, or missed our sink is not delivered.

import { expect, test } from 'vitest'
import type { Evidence } from '../../harness/evidence/run.ts'
import type { MakerTally } from '../../harness/evidence/types.ts'
import { emptyTally } from '../../harness/run/noise-crew.ts'
import { preconditions } from '../../harness/run/preconditions.ts'

const good: MakerTally = {
  ordered: 1000,
  sent: 1000,
  answered: 1000,
  refused: 900,
  errors: 0,
  sentLate: 0,
  lastSentUs: 999_000,
  sinkSeen: 1000,
  cpuUs: 1000,
}
const objectives = { p99Ms: 250, successRatio: 0.99, interferenceRatio: 2, interferenceFloorMs: 0 }

function delivered(placebo: NonNullable<Evidence['noise']['noise']['makers']>) {
  const part = {
    objectives,
    hiccups: [],
    drains: [],
    quietTenants: [],
    noise: { placebo: { ...emptyTally(), makers: placebo }, noise: emptyTally() },
  }
  const block = { index: 0, arm: 'placebo' as const, pair: 1, startUs: 0, settleUs: 0, endUs: 1e6, tenants: [] }
  // Only what this precondition reads of the evidence.
  const found = preconditions(part as unknown as Evidence, [block], new Map())
  const [one] = found.filter(({ name }) => name === 'noise-delivered-placebo')
  if (!one) throw new Error('there is no such precondition')
  return one
}

test('noise that was answered in its block, and seen by the sink, is delivered, refusals included', () => {
  const { held, detail } = delivered({ api: good, stream: { ...good, refused: 0 } })
  expect(held).toBe(true)
  expect(detail).toContain(
    'api: 1000 of 1000 sent, 1000 answered, 0 errors, 1000 seen by the sink; stream: 1000 of 1000',
  )
})

test.each<[string, Partial<MakerTally>, spoils?: string]>([
  ['that was lost or refused by Redis', { answered: 940, errors: 60 }],
  ['that was sent in part', { sent: 940, answered: 940, sinkSeen: 940 }],
  ['that was sent when its block was over', { sentLate: 60, lastSentUs: 1_400_000 }],
  ['of which the sink saw less, so that the rest may have gone to the target', { sinkSeen: 999 }, 'both'],
  ['of which the sink saw more', { sinkSeen: 1001 }],
  ['that was never ordered', { ordered: 0, sent: 0, answered: 0, sinkSeen: 0 }],
])('noise %s is not delivered, whatever the other makers did', (_, odd, wanted = 'fail') => {
  const { held, spoils } = delivered({ api: good, retry: { ...good, ...odd } })
  expect([held, spoils]).toEqual([false, wanted])
})

test('no noise at all is not delivered', () => {
  expect(delivered({})).toMatchObject({ held: false, detail: expect.stringContaining('no noise was made') })
})

test('a twentieth may be missing', () => {
  const { held } = delivered({ api: { ...good, sent: 970, answered: 950, errors: 20, sentLate: 20, sinkSeen: 970 } })
  expect(held).toBe(true)
})
