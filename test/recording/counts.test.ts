import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Counts } from '../../harness/recording/counts.ts'
import { fresh } from '../../harness/recording/histogram.ts'
import { logHead, logLine, readLog } from '../../harness/recording/interval-log.ts'

const SEED = 3
const interval = { tenant: 'a', arm: 'noise', block: 1, kind: 'service', startUs: 0, endUs: 1e6 } as const

test('counts come in any order, are added up, and leave ascending', () => {
  const counts = Counts.of([
    [30, 1],
    [10, 2],
    [30, 4],
  ])
  expect(counts.pairs()).toEqual([
    [10, 2],
    [30, 5],
  ])
  expect(counts.total).toBe(7)
  const both = Counts.sum([counts, Counts.of([[20, 1]])])
  expect(both.pairs()).toEqual([
    [10, 2],
    [20, 1],
    [30, 5],
  ])
  expect(both.bytes - counts.bytes).toBe(16)
})

test('a quantile is the value of the nearest rank, and of nothing there is none', () => {
  const counts = Counts.of([
    [10, 50],
    [20, 49],
    [5_000_000_000, 1],
  ])
  expect([0, 0.5, 0.51, 0.99, 0.991, 1].map((q) => counts.quantile(q))).toEqual([10, 10, 20, 20, 5e9, 5e9])
  expect([Counts.of([]).quantile(0.5), Counts.of([]).total]).toEqual([null, 0])
})

test(`what is read back is every value at the upper end of its bucket, seed ${SEED}`, () => {
  const values = fc.array(fc.oneof(fc.nat(3000), fc.nat(20_000_000)), { minLength: 1, maxLength: 60 })
  const scale = fresh()
  scale.recordValue(20_000_000)
  fc.assert(
    fc.property(values, (us) => {
      const read = readLog(logHead(0) + logLine(interval, us)).get('a/noise/1/service')
      expect(read?.pairs()).toEqual(Counts.of(us.map((v) => [scale.highestEquivalentValue(v), 1])).pairs())
    }),
    { seed: SEED, numRuns: 60 },
  )
})
