import { expect, test } from 'vitest'
import type { Operation } from '../../harness/load/ledger.ts'
import type { Counts } from '../../harness/recording/counts.ts'
import { logHead, readLog } from '../../harness/recording/interval-log.ts'
import { blocksOf, record, type Window } from '../../harness/run/recorder.ts'
import { descendingMs } from '../../harness/verdict/samples.ts'

const window: Window = { index: 0, arm: 'noise', pair: 1, startUs: 1_500_000, settleUs: 500_000, endUs: 5_000_000 }

/** Handed over 100 µs late. */
function op(seq: number, intendedUs: number, tookUs: number, outcome: Operation['outcome'] = 'ok'): Operation {
  return { tenant: seq % 2, seq, intendedUs, handedUs: intendedUs + 100, endUs: intendedUs + tookUs, outcome }
}

/** Two tenants, an operation of each every 10 ms from 0 to 6 s; response times rise from second to second. */
const operations = Array.from({ length: 1200 }, (_, seq) => {
  const intendedUs = Math.floor(seq / 2) * 10_000
  return op(seq, intendedUs, 1000 * (1 + Math.floor(intendedUs / 1e6)))
})
const countOf = (counts: Counts | undefined) => counts?.total ?? 0

test('the log has a line for each second, tenant and kind, and they come back added up', () => {
  const { log, facts } = record(['a', 'b'], operations, [window], 0, 6e6)
  const lines = log.trim().split('\n')
  const tagged = (tag: string) => lines.filter((line) => line.startsWith(`Tag=${tag},`))
  // 2.0 to 5.0 s in the block; 0 to 2 and 5 to 6 s outside it.
  expect(tagged('a/noise/0/response')).toHaveLength(3)
  expect(tagged('b/between/-1/lateness')).toHaveLength(3)
  expect(lines).toHaveLength(2 * 3 * (3 + 3))
  const startS = lines.map((line) => Number(line.split(',')[1]))
  expect(startS).toEqual([...startS].sort((x, y) => x - y))
  const read = readLog(logHead(0) + log)
  expect(countOf(read.get('a/noise/0/response'))).toBe(300)
  expect(
    read
      .get('a/noise/0/response')
      ?.pairs()
      .map(([us, count]) => [Math.round(us / 1000), count]),
  ).toEqual([
    [3, 100],
    [4, 100],
    [5, 100],
  ])
  expect(countOf(read.get('b/between/-1/service'))).toBe(300)
  expect(facts[0]?.tenants).toEqual([
    { tenant: 'a', offered: 300, sent: 300, ok: 300, failed: 0, unfinished: 0 },
    { tenant: 'b', offered: 300, sent: 300, ok: 300, failed: 0, unfinished: 0 },
  ])
})

test('service time begins with the hand-over, lateness ends with it', () => {
  const read = readLog(record(['a'], [op(0, 2_000_000, 5000)], [window], 0, 6e6).log)
  const us = (kind: string) => read.get(`a/noise/0/${kind}`)?.pairs()[0]?.[0] ?? 0
  expect(Math.abs(us('response') - 5000)).toBeLessThan(5)
  expect(Math.abs(us('service') - 4900)).toBeLessThan(5)
  expect(us('lateness')).toBe(100)
})

test('an unfinished operation stays in the log as at least so long, and is infinite to the verdict', () => {
  const given: Operation[] = [
    ...Array.from({ length: 10 }, (_, i) => op(2 * i, 2_000_000 + i, 1000)),
    op(20, 2_100_000, 3_000_000, 'unfinished'),
    { ...op(22, 3_200_000, 1_900_000, 'unfinished'), handedUs: null },
    op(24, 2_300_000, 500, 'failed'),
  ]
  const { log, facts, journal } = record(['a'], given, [window], 0, 6e6)
  const read = readLog(log)
  const atLeastMs = read
    .get('a/noise/0/at-least')
    ?.pairs()
    .map(([us, count]) => [Math.round(us / 1000), count])
  expect(atLeastMs?.map(([ms, count]) => [Math.round((ms ?? 0) / 10), count])).toEqual([
    [190, 1],
    [300, 1],
  ])
  // Nobody sent the second one: it is late by all that time.
  expect(Math.round((read.get('a/noise/0/lateness')?.quantile(1) ?? 0) / 1e4)).toBe(190)
  expect(facts[0]?.tenants).toEqual([{ tenant: 'a', offered: 13, sent: 12, ok: 10, failed: 1, unfinished: 2 }])
  const [block] = blocksOf(facts, read)
  const times = descendingMs(block?.tenants ?? [])
  expect([...times.subarray(0, 3)]).toEqual([Infinity, Infinity, Infinity])
  expect(times).toHaveLength(13)
  const lines = journal
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  expect(lines.filter(({ outcome }) => outcome === 'unfinished')).toMatchObject([
    { seq: 20, handedUs: 2_100_100, endUs: 5_100_000 },
    { seq: 22, handedUs: null, endUs: 5_100_000 },
  ])
})
