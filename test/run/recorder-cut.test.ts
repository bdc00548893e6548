// What a window keeps of operations that were still open when the run was cut.

import { expect, test } from 'vitest'
import type { Operation } from '../../harness/load/ledger.ts'
import { record } from '../../harness/run/recorder.ts'

const window = { index: 3, arm: 'noise' as const, pair: 2, startUs: 0, settleUs: 0, endUs: 20e6 }
const at = (ageMs: number, outcome: Operation['outcome']): Operation => {
  return { tenant: 0, seq: 0, intendedUs: 1e6, handedUs: 1e6, endUs: 1e6 + ageMs * 1000, outcome }
}
const operations = [at(5, 'ok'), at(100, 'unfinished'), at(900, 'unfinished'), at(10_000, 'unfinished')]
const ages = { sloUs: 250_000, timeoutUs: 10e6 }

test('a cut window tells open operations by their age, and belongs to no pair', () => {
  const [block] = record(['quiet-1'], operations, [window], 0, 20e6, ages).facts
  expect(block).toMatchObject({ pair: null })
  expect(block?.tenants).toEqual([
    { tenant: 'quiet-1', offered: 4, sent: 4, ok: 1, failed: 0, unfinished: 3, cut: { open: 2, young: 1 } },
  ])
})

test('a window whose operations all had their time is whole, in a run that was cut as well', () => {
  const [first, , , last] = operations
  const [block] = record(
    ['quiet-1'],
    [first, last].flatMap((op) => op ?? []),
    [window],
    0,
    20e6,
    ages,
  ).facts
  expect(block).toMatchObject({ pair: 2, tenants: [{ unfinished: 1 }] })
  expect(block?.tenants[0]).not.toHaveProperty('cut')
})
