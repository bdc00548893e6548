// Catch-up after a stall, over any stalls at any rate: nothing lost, nothing early, nothing out of order, and never a
// flood of our own making.

import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Shape } from '../../harness/evidence/run.ts'
import { Dispatcher } from '../../harness/load/dispatcher.ts'
import { Ledger } from '../../harness/load/ledger.ts'
import { type Arrival, scheduleTenants } from '../../harness/load/schedule.ts'
import type { Load } from '../../harness/load/shapes.ts'

const SPAN_US = 3e6
const TICK_US = 1000

interface Sent {
  seq: number
  intendedUs: number
  atUs: number
}

/** Ticks once a millisecond, but not during a stall; goes on until everything due in the span has left. */
function play(load: Load, stalls: readonly { atMs: number; forMs: number }[]): { arrivals: Arrival[]; sent: Sent[] } {
  const arrivals: Arrival[] = []
  for (const arrival of scheduleTenants(11, [load])) {
    if (arrival.intendedUs >= SPAN_US) break
    arrivals.push(arrival)
  }
  const ledger = new Ledger(arrivals)
  const dispatcher = new Dispatcher(ledger, load.ratePerSecond)
  const sent: Sent[] = []
  const waiting = [...stalls].sort((x, y) => x.atMs - y.atMs)
  for (let nowUs = 0; nowUs < 10 * SPAN_US && sent.length < arrivals.length; nowUs += TICK_US) {
    const stall = waiting[0]
    if (stall && stall.atMs * 1000 <= nowUs) {
      waiting.shift()
      nowUs += stall.forMs * 1000
    }
    for (const seq of dispatcher.release(nowUs)) {
      sent.push({ seq, intendedUs: arrivals[seq]?.intendedUs ?? Number.NaN, atUs: nowUs })
    }
  }
  return { arrivals, sent }
}

const stalls = fc.array(fc.record({ atMs: fc.nat(2900), forMs: fc.nat(1500) }), { maxLength: 4 })
const ratePerSecond = fc.integer({ min: 20, max: 2000 })
const shape = fc.constantFrom<Shape>('poisson', 'uniform', { burst: { size: 20 } })

test('every arrival leaves once, in order, never before it is due, whatever the stalls', () => {
  fc.assert(
    fc.property(ratePerSecond, shape, stalls, (rate, of, when) => {
      const { arrivals, sent } = play({ ratePerSecond: rate, shape: of }, when)
      expect(sent.map(({ seq }) => seq)).toEqual(arrivals.map((_, seq) => seq))
      for (const { intendedUs, atUs } of sent) expect(atUs).toBeGreaterThanOrEqual(intendedUs)
    }),
    { numRuns: 25 },
  )
})

test('in any 10 ms no more than twice the rate leaves, with the saved credit, beside what is just due', () => {
  fc.assert(
    fc.property(ratePerSecond, shape, stalls, (rate, of, when) => {
      const { sent } = play({ ratePerSecond: rate, shape: of }, when)
      const perMs = rate / 1000
      const bound = 2 * perMs * 10 + Math.max(2, 2 * perMs * 5)
      let from = 0
      for (let to = 0; to < sent.length; to++) {
        while ((sent[to]?.atUs ?? 0) - (sent[from]?.atUs ?? 0) > 10_000) from++
        const span = sent.slice(from, to + 1)
        // On time: late by at most 2 ms.
        const late = span.filter(({ intendedUs, atUs }) => atUs - intendedUs > 2000).length
        expect(late).toBeLessThanOrEqual(bound + 1)
        if (of === 'uniform') expect(span.length).toBeLessThanOrEqual(bound + perMs * 2 + 2)
      }
    }),
    { numRuns: 25 },
  )
})

test('a stall of 1 s at 400/s is caught up with at 800/s, in about a second, and not in one tick', () => {
  const { sent } = play({ ratePerSecond: 400, shape: 'uniform' }, [{ atMs: 1000, forMs: 1000 }])
  const within = (fromMs: number, toMs: number) =>
    sent.filter(({ atUs }) => atUs >= fromMs * 1000 && atUs < toMs * 1000).length
  expect(within(2000, 2001)).toBeLessThanOrEqual(4)
  for (let ms = 2010; ms < 2900; ms += 10) expect(within(ms, ms + 10)).toBe(8)
  const caughtUp = sent.find(({ atUs, intendedUs }) => atUs > 2e6 && atUs - intendedUs <= 2000)
  expect(Math.abs((caughtUp?.atUs ?? 0) / 1000 - 3000)).toBeLessThanOrEqual(20)
})

test.each([20, 100, 400, 5000])(
  'without a stall every arrival of %i/s leaves at the next tick, bunches too',
  (rate) => {
    for (const of of ['poisson', 'uniform', { burst: { size: 50 } }] as const) {
      const { sent } = play({ ratePerSecond: rate, shape: of }, [])
      expect(Math.max(...sent.map(({ atUs, intendedUs }) => atUs - intendedUs))).toBeLessThan(TICK_US)
    }
  },
)
