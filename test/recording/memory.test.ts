// What the recording of the default gate takes of memory, by the sizes of what is kept. Refuses to look at the heap: the
// bench `recording` does.

import { expect, test } from 'vitest'
import { Ledger } from '../../harness/load/ledger.ts'
import { fresh } from '../../harness/recording/histogram.ts'
import { gate, labels, played } from './played.ts'

const RUN_SEED = 11
const KB_AT_MOST = 700
/** A pair of numbers as an array of its own, in an array. */
const PAIR_BYTES = 72

test(`a quiet tenant of the default gate costs at most ${KB_AT_MOST} KB in two arms, run seed ${RUN_SEED}`, () => {
  const { intervals, operations } = played(RUN_SEED)
  expect(labels).toHaveLength(4)
  // 25 pairs, two arms, three kinds of time; and what lies between the blocks.
  const of = (tenant: string) => [...intervals].filter(([tag]) => tag.startsWith(`${tenant}/`))
  const inArms = of('quiet-1').filter(([tag]) => /\/(placebo|noise)\/\d+\/(response|service|lateness)$/.test(tag))
  expect(inArms).toHaveLength(gate.blocks.pairs * 2 * 3)
  // Every operation has its three times, none is left out.
  expect([...intervals.values()].reduce((sum, { total }) => sum + total, 0)).toBe(3 * operations)

  const ledger = new Ledger([])
  // Held until the next collection; what is not used yet of the room included, which doubles from 1,024 on.
  const perPair = operations / gate.blocks.pairs
  const ledgerBytes = ledger.bytes * 2 ** Math.ceil(Math.log2((3 * perPair) / 1024))
  const scratch = fresh()
  scratch.recordValue(20e6)
  const shared = ledgerBytes + scratch.estimatedFootprintInBytes
  for (const tenant of labels) {
    const kept = of(tenant).reduce((sum, [, { bytes }]) => sum + bytes, 0)
    // A look at the data takes the response times of the arms apart once more.
    const looked = of(tenant)
      .filter(([tag]) => tag.endsWith('/response') && !tag.includes('/between/'))
      .reduce((sum, [, counts]) => sum + PAIR_BYTES * counts.pairs().length, 0)
    expect((kept + looked + shared / labels.length) / 1024).toBeLessThanOrEqual(KB_AT_MOST)
    // It is no empty claim: as arrays of pairs all of it would not fit.
    const asPairs = of(tenant).reduce((sum, [, counts]) => sum + PAIR_BYTES * counts.pairs().length, 0)
    expect(asPairs / 1024).toBeGreaterThan(KB_AT_MOST)
  }
})
