// Seconds read back from an interval log: as many as there were, in their order, with what was due in each.

import { expect, test } from 'vitest'
import { logHead, logLine } from '../../harness/recording/interval-log.ts'
import { readSeconds } from '../../harness/recording/second-log.ts'

const at = (startUs: number, endUs: number, kind: 'response' | 'lateness' | 'at-least', tenant = 'quiet-1') => {
  return { tenant, arm: 'noise', block: 3, kind, startUs, endUs }
}

test('a block of 2.3 s is three stretches, each with its own response times and what was offered', () => {
  const text = [
    logHead(1_700_000_000_000),
    logLine(at(5_200_000, 6_200_000, 'response'), [4000, 5000]),
    logLine(at(5_200_000, 6_200_000, 'lateness'), [1, 1]),
    logLine(at(7_200_000, 7_500_000, 'lateness'), [1]),
    logLine(at(6_200_000, 7_200_000, 'response'), [7000]),
    logLine(at(6_200_000, 7_200_000, 'lateness'), [1, 2, 3]),
    logLine(at(6_200_000, 7_200_000, 'at-least'), [900]),
    logLine(at(6_200_000, 7_200_000, 'lateness', 'quiet-2'), [1]),
  ].join('')
  const found = readSeconds(text)
  expect([...found.keys()]).toEqual(['quiet-1/noise/3', 'quiet-2/noise/3'])
  const own = found.get('quiet-1/noise/3') ?? []
  expect(own.map(({ lengthUs }) => lengthUs)).toEqual([1_000_000, 1_000_000, 300_000])
  expect(own.map(({ offered, open }) => [offered, open])).toEqual([
    [2, 0],
    [3, 1],
    [1, 0],
  ])
  expect(own.map(({ responseUs }) => responseUs.map(([, count]) => count))).toEqual([[1, 1], [1], []])
  expect(own[0]?.responseUs.map(([us]) => Math.round(us / 100))).toEqual([40, 50])
})

test('a log without lines has no seconds', () => {
  expect(readSeconds(logHead(0)).size).toBe(0)
})
