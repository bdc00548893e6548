import { expect, test } from 'vitest'
import { logHead, logLine, quantile, readLog } from '../../harness/recording/interval-log.ts'

test('what is written comes back with every count, values within 3 digits', () => {
  const values = Array.from({ length: 1000 }, (_, i) => (i + 1) * 37)
  const interval = { tenant: 'quiet-1', arm: 'noise', block: 4, kind: 'response', startUs: 1e6, endUs: 2e6 } as const
  const read = readLog(logHead(0) + logLine(interval, values)).get('quiet-1/noise/4/response') ?? []
  expect(read.reduce((sum, [, count]) => sum + count, 0)).toBe(1000)
  for (const q of [0.5, 0.9, 0.99, 1]) {
    const truth = 37 * 1000 * q
    expect(Math.abs((quantile(read, q) ?? 0) - truth) / truth).toBeLessThan(0.001)
  }
})

test('an interval without samples writes no line', () => {
  expect(logLine({ tenant: 'a', arm: 'noise', block: 1, kind: 'service', startUs: 0, endUs: 1 }, [])).toBe('')
})
