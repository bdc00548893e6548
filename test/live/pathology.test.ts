// The generator, whole, against servers that misbehave in six ways at two rates: the percentiles that it records lie within
// 5 % or 2 ms of the analytic truth in each. Each pathology is a tenant with a server of its own; the run's own histograms
// are what is compared. Refuses a retry.

import { describe, expect, test } from 'vitest'
import { quantile } from '../../harness/recording/interval-log.ts'
import { type PathologyName, pathologyNames } from '../load/pathologies.ts'
import { type Measured, type Sent, sendRound } from '../load/pathology-run.ts'
import { quantilesFor, rankAt, toleranceMs } from '../load/truth.ts'

const RUN_SEED = 29
const TIMEOUT_MS = 1500

function told(sent: Sent): string {
  const { generator, server } = sent.heldUp
  const of = (who: string, { p99Us, maxUs }: typeof server) => `${who} was held up ${p99Us} us at p99, ${maxUs} at most`
  return `${of('the generator', generator)}; ${of('the servers', server)}`
}

function expectTruth({ name, truthUs, recordedUs, outcomes, leastWaitedUs }: Measured, sent: Sent): void {
  const n = truthUs.length
  expect(
    recordedUs.reduce((sum, [, count]) => sum + count, 0),
    name,
  ).toBe(n)
  expect(outcomes.failed, name).toBe(0)
  // At most one arrival on either edge of the dead time, where being late by our tick decides.
  const never = truthUs.filter((us) => us === Number.POSITIVE_INFINITY).length
  expect(
    Math.abs(outcomes.unfinished - never),
    `${name}: ${outcomes.unfinished} unfinished, ${never} unanswered`,
  ).toBeLessThan(never === 0 ? 1 : 6)
  if (never > 0) expect(leastWaitedUs).toBeGreaterThanOrEqual(TIMEOUT_MS * 1000)
  for (const q of quantilesFor(n)) {
    const [truth, measured] = [rankAt(truthUs, q) / 1000, (quantile(recordedUs, q) ?? Number.NaN) / 1000]
    const what = `${name}, p${q * 100} of ${n}: ${measured} ms, not ${truth}; ${told(sent)}`
    if (truth === Number.POSITIVE_INFINITY) expect(measured, what).toBe(truth)
    else expect(Math.abs(measured - truth), what).toBeLessThanOrEqual(toleranceMs(truth))
  }
}

const round = (names: readonly PathologyName[], ratePerSecond: number, windowMs: number) =>
  sendRound({ names, ratePerSecond, shape: 'poisson', windowMs, runSeed: RUN_SEED, timeoutMs: TIMEOUT_MS })

describe(`percentiles are the truth (run seed ${RUN_SEED})`, () => {
  test('at 100/s, all pathologies at the same time', async () => {
    const sent = await round(pathologyNames, 100, 6000)
    for (const measured of sent.measured) expectTruth(measured, sent)
  })

  test.each([[pathologyNames.slice(0, 3)], [pathologyNames.slice(3)]])(
    'at 1,000/s each, three at a time: %j',
    async (names) => {
      const sent = await round(names, 1000, 6000)
      for (const measured of sent.measured) expectTruth(measured, sent)
    },
  )
})
