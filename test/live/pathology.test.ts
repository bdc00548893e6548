// The generator, whole, against servers that misbehave in six ways at two rates: the percentiles that it records lie within
// 5 % or 2 ms of the analytic truth in each. Each pathology is a tenant with a server of its own; the run's own histograms
// are what is compared. Refuses a retry.

import { describe, expect, test } from 'vitest'
import type { Counts } from '../../harness/recording/counts.ts'
import { type PathologyName, pathologyNames } from '../load/pathologies.ts'
import { type Measured, type Sent, sendRound } from '../load/pathology-run.ts'
import { quantilesFor, rankAt, toleranceMs } from '../load/truth.ts'

const RUN_SEED = 29
const WARM_UP_MS = 700
const TIMEOUT_MS = 1500

/** As fine as the meters' timers are: a thread that was held up no longer was not held up. */
const METER_MS = 1

const told = ({ heldUp: { generator, server } }: Sent): string =>
  [
    `generator ${generator.p99Us} us at p99, ${generator.maxUs} at most`,
    `servers ${server.p99Us}, ${server.maxUs}`,
  ].join('; ')

/**
 * What the machine took: one that held up the generator's thread or the servers' process was itself a stall, which no truth
 * knows of, of the length that their meters saw; behind it the generator catches up, and says by how much it was late. On a
 * quiet machine this is 0, and the tolerance is what it says.
 */
function machineMs({ heldUp }: Sent, latenessUs: Counts, q: number): number {
  const lengths = [heldUp.generator, heldUp.server].map(({ p99Us, maxUs }) => (q > 0.99 ? maxUs : p99Us) / 1000)
  const felt = lengths.filter((ms) => ms > METER_MS)
  if (felt.length === 0) return 0
  return felt.reduce((sum, ms) => sum + ms, 0) + (latenessUs.quantile(Math.max(q, 0.99)) ?? 0) / 1000
}

function expectTruth({ name, truthUs, recordedUs, outcomes, leastWaitedUs, latenessUs }: Measured, sent: Sent): void {
  const n = truthUs.length
  expect(recordedUs.total, name).toBe(n)
  expect(outcomes.failed, name).toBe(0)
  const isDead = truthUs.includes(Number.POSITIVE_INFINITY)
  expect(outcomes.unfinished, name).toBe(isDead ? sent.unanswered : 0)
  if (isDead) expect(leastWaitedUs).toBeGreaterThanOrEqual(TIMEOUT_MS * 1000)
  for (const q of quantilesFor(n)) {
    const [truth, measured] = [rankAt(truthUs, q) / 1000, (recordedUs.quantile(q) ?? Number.NaN) / 1000]
    const what = `${name}, p${q * 100} of ${n}: ${measured} ms, not ${truth}; ${told(sent)}`
    if (truth === Number.POSITIVE_INFINITY) expect(measured, what).toBe(truth)
    else
      expect(Math.abs(measured - truth), what).toBeLessThanOrEqual(toleranceMs(truth) + machineMs(sent, latenessUs, q))
  }
}

async function round(names: readonly PathologyName[], ratePerSecond: number, windowMs: number): Promise<Sent> {
  const sent = await sendRound({
    names,
    ratePerSecond,
    shape: 'poisson',
    windowMs,
    warmUpMs: WARM_UP_MS,
    runSeed: RUN_SEED,
    timeoutMs: TIMEOUT_MS,
  })
  console.info(`${ratePerSecond}/s for ${windowMs} ms, ${names.length} servers; held up: ${told(sent)}`)
  return sent
}

describe(`percentiles are the truth (run seed ${RUN_SEED})`, () => {
  test('at 100/s, all pathologies at the same time', async () => {
    const sent = await round(pathologyNames, 100, 4000)
    for (const measured of sent.measured) expectTruth(measured, sent)
  })

  // Two at a time are what two cores bear. p99.9 wants 10,000 arrivals: `npm run bench -- pathology` asks for it.
  test.each<[PathologyName, PathologyName, number]>([
    ['stalls once', 'speeds up', 3200],
    ['stalls periodically', 'drains slowly', 3200],
    ['is hit by bursts', 'has dead connections', 3200],
  ])('at 1,000/s each: a server that %s and one that %s, for %i ms', async (one, other, windowMs) => {
    const sent = await round([one, other], 1000, windowMs)
    for (const measured of sent.measured) expectTruth(measured, sent)
  })
})
