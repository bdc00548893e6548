import { expect, test } from 'vitest'
import type { Counts } from '../../harness/recording/counts.ts'
import { logHead, logLine, readLog } from '../../harness/recording/interval-log.ts'

const interval = { tenant: 'quiet-1', arm: 'noise', block: 4, kind: 'response', startUs: 1e6, endUs: 2e6 } as const
const TAG = 'quiet-1/noise/4/response'
const countOf = (counts: Counts | undefined) => counts?.total ?? 0

test('what is written comes back with every count, values within 3 digits', () => {
  const values = Array.from({ length: 1000 }, (_, i) => (i + 1) * 37)
  const read = readLog(logHead(0) + logLine(interval, values)).get(TAG)
  expect(countOf(read)).toBe(1000)
  for (const q of [0.5, 0.9, 0.99, 1]) {
    const truth = 37 * 1000 * q
    expect(Math.abs((read?.quantile(q) ?? 0) - truth) / truth).toBeLessThan(0.001)
  }
})

test('lines with the same tag are added up, in one text or one after the other', () => {
  const lines = [
    logLine(interval, [100, 200, 300]),
    logLine({ ...interval, startUs: 2e6, endUs: 3e6 }, [200, 9_000_000]),
    logLine({ ...interval, kind: 'at-least' }, [10_000_000]),
  ]
  const whole = readLog(logHead(0) + lines.join(''))
  expect(
    whole
      .get(TAG)
      ?.pairs()
      .map(([us, count]) => [Number(us.toPrecision(2)), count]),
  ).toEqual([
    [100, 1],
    [200, 2],
    [300, 1],
    [9_000_000, 1],
  ])
  expect(countOf(whole.get('quiet-1/noise/4/at-least'))).toBe(1)
  const stepwise = new Map<string, Counts>()
  for (const line of lines) readLog(line, stepwise)
  expect(stepwise).toEqual(whole)
})

test('an interval without samples writes no line', () => {
  expect(logLine({ tenant: 'a', arm: 'noise', block: 1, kind: 'service', startUs: 0, endUs: 1 }, [])).toBe('')
})
