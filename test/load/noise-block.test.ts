// A block of noise as pure arithmetic and events: how it is spread, what ends it, what is told of it. Time is faked here,
// as nothing in it depends on a socket.

import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { Backoff } from '../../harness/load/backoff.ts'
import { BlockLedger } from '../../harness/load/block-ledger.ts'
import { type Flood, playBlock } from '../../harness/load/noise-block.ts'
import { pace } from '../../harness/load/pace.ts'

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance', 'hrtime'] })
})
afterEach(() => {
  vi.useRealTimers()
})

const never = new AbortController().signal

/** How many timers were set meanwhile: each is a wake-up of the thread, and costs CPU. */
async function timersOf(work: () => Promise<unknown>): Promise<number> {
  const set = vi.spyOn(globalThis, 'setTimeout')
  await work()
  const count = set.mock.calls.length
  set.mockRestore()
  return count
}

describe('pace', () => {
  async function spread(count: number, lengthMs: number) {
    const allowed: Array<[atMs: number, total: number]> = []
    const startMs = performance.now()
    const allow = (total: number) => allowed.push([performance.now() - startMs, total])
    const timers = await timersOf(async () => {
      const done = pace({ count, lengthMs, startMs, allow, signal: never })
      await vi.advanceTimersByTimeAsync(lengthMs + 5)
      await done
    })
    return { allowed, timers }
  }

  test.each([
    [2000, 1000],
    [1000, 1000],
    [7, 500],
    [3, 1000],
  ])('spreads %i operations over %i ms to within one, at every millisecond', async (count, lengthMs) => {
    const { allowed } = await spread(count, lengthMs)
    expect(allowed.at(-1)).toEqual([expect.any(Number), count])
    for (const [atMs, total] of allowed) {
      expect(Math.abs(total - (atMs / lengthMs) * count)).toBeLessThanOrEqual(Math.max(1, count / lengthMs))
    }
    // No burst: never more at once than two milliseconds' worth, rounded up.
    const steps = allowed.map(([, total], i) => total - (allowed[i - 1]?.[1] ?? 0))
    expect(Math.max(...steps)).toBeLessThanOrEqual(Math.ceil((2 * count) / lengthMs))
  })

  test('ticks as often whatever there is to send', async () => {
    const [few, many] = [await spread(3, 400), await spread(4000, 400)]
    expect(few.timers).toBe(many.timers)
  })

  test('stops when told, and allows no more', async () => {
    const stop = new AbortController()
    let last = 0
    const allow = (total: number) => {
      last = total
    }
    const done = pace({ count: 1000, lengthMs: 1000, startMs: performance.now(), allow, signal: stop.signal })
    await vi.advanceTimersByTimeAsync(100)
    stop.abort()
    await vi.advanceTimersByTimeAsync(10)
    await done
    expect(last).toBeGreaterThanOrEqual(99)
    expect(last).toBeLessThanOrEqual(102)
  })
})

/** A flood whose target takes as many as it has room for, and answers after a time; 0 is never. */
class Made implements Flood {
  readonly ledger = new BlockLedger()
  readonly #room: number
  readonly #answerMs: number
  abandoned = 0
  constructor(room: number, answerMs: number) {
    this.#room = room
    this.#answerMs = answerMs
  }
  pump() {
    while (this.ledger.due > 0 && this.ledger.open < this.#room) {
      this.ledger.noteSent(1)
      if (this.#answerMs === 0) continue
      setTimeout(() => {
        this.ledger.noteAnswered(1)
        this.pump()
      }, this.#answerMs)
    }
  }
  abandon() {
    this.abandoned += this.ledger.open
    this.ledger.noteErrors(this.ledger.open)
  }
}

describe('a block', () => {
  const order = (count: number, lengthMs: number) => {
    return { type: 'block', arm: 'noise', count, lengthMs, startNs: process.hrtime.bigint() } as const
  }
  async function played(flood: Made, count: number, lengthMs: number) {
    const startMs = performance.now()
    let endMs = Number.NaN
    const done = playBlock(flood, order(count, lengthMs), never).then((told) => {
      endMs = performance.now()
      return told
    })
    await vi.advanceTimersByTimeAsync(20_000)
    return { ...(await done), tookMs: endMs - startMs }
  }

  test('sends exactly what was ordered, and ends with its last answer', async () => {
    const told = await played(new Made(100, 30), 500, 1000)
    expect(told).toMatchObject({ ordered: 500, sent: 500, answered: 500, errors: 0, sentLate: 0 })
    expect(told.lastSentUs).toBeGreaterThan(990_000)
    expect(told.lastSentUs).toBeLessThanOrEqual(1_000_000)
    expect(told.tookMs).toBeLessThan(1040)
  })

  test('carries on late for a second, and says how much was late', async () => {
    // 10 at once, 40 ms each: 250 a second; 400 are ordered of one second.
    const told = await played(new Made(10, 40), 400, 1000)
    expect(told).toMatchObject({ sent: 400, answered: 400, errors: 0 })
    expect(told.sentLate).toBeGreaterThan(130)
    expect(told.sentLate).toBeLessThan(170)
    expect(told.lastSentUs).toBeGreaterThan(1_500_000)
  })

  test('gives up after that second what has not gone', async () => {
    const told = await played(new Made(1, 100), 400, 1000)
    expect(told.sent).toBeGreaterThan(15)
    expect(told.sent).toBeLessThan(25)
    expect(told).toMatchObject({ ordered: 400, answered: told.sent, errors: 0 })
  })

  test('waits ten seconds for answers, then counts what is missing as errors', async () => {
    const flood = new Made(1000, 0)
    const told = await played(flood, 50, 1000)
    expect(told).toMatchObject({ sent: 50, answered: 0, errors: 50 })
    expect(flood.abandoned).toBe(50)
    expect(told.tookMs).toBeGreaterThan(10_900)
    expect(told.tookMs).toBeLessThan(11_100)
  })

  test('wakes its thread no more often where the target is slow, or takes the noise late', async () => {
    // Besides its ticks, one timer for each of 400 answers, which stands for the target, and at most two that bound the waits.
    const quick = await timersOf(() => played(new Made(400, 1), 400, 1000))
    const slow = await timersOf(() => played(new Made(400, 5000), 400, 1000))
    const late = await timersOf(() => played(new Made(10, 40), 400, 1000))
    expect(quick).toBeGreaterThan(1300)
    expect(slow - quick).toBeLessThanOrEqual(2)
    expect(late - quick).toBeLessThanOrEqual(2)
  })

  test('counts nothing of the block before it', async () => {
    const flood = new Made(1000, 0)
    await played(flood, 50, 1000)
    const again = await played(flood, 20, 500)
    expect(again).toMatchObject({ ordered: 20, sent: 20, errors: 20 })
  })
})

test('a lost connection waits twice as long each time, five seconds at most, and not together with its fellows', () => {
  const waits = (place: number) => {
    const backoff = new Backoff(place)
    return Array.from({ length: 12 }, () => backoff.take())
  }
  expect(waits(1)).toEqual([20, 40, 80, 160, 320, 640, 1280, 2560, 5000, 5000, 5000, 5000])
  expect(waits(0)).toEqual(waits(1).map((ms) => ms / 2))
  const backoff = new Backoff(1)
  for (let i = 0; i < 5; i++) backoff.take()
  backoff.reset()
  expect(backoff.take()).toBe(20)
})
