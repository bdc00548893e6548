import { describe, expect, test } from 'vitest'
import { Ledger, unpack } from '../../harness/load/ledger.ts'
import { commandCounter } from '../../harness/load/resp.ts'
import type { Arrival } from '../../harness/load/schedule.ts'

/** An arrival every millisecond, tenants in turn, without end. */
function* everyMs(tenants = 2): Generator<Arrival> {
  for (let n = 0; ; n++) yield { tenant: n % tenants, intendedUs: n * 1000 }
}

describe('the ledger', () => {
  test('tells what became of each arrival, once, and the unfinished ones with the time of the collection', () => {
    const ledger = new Ledger(everyMs())
    for (const seq of [ledger.take(), ledger.take(), ledger.take()]) ledger.handed(seq, seq * 1000 + 0.5)
    ledger.ended(0, 900.25, 'ok')
    ledger.ended(1, 1100, 'failed')
    ledger.ended(1, 9999, 'ok')
    expect(unpack(ledger.collect(4000, 7000))).toEqual([
      { tenant: 0, seq: 0, intendedUs: 0, handedUs: 0.5, endUs: 900.25, outcome: 'ok' },
      { tenant: 1, seq: 1, intendedUs: 1000, handedUs: 1000.5, endUs: 1100, outcome: 'failed' },
      { tenant: 0, seq: 2, intendedUs: 2000, handedUs: 2000.5, endUs: 7000, outcome: 'unfinished' },
      { tenant: 1, seq: 3, intendedUs: 3000, handedUs: null, endUs: 7000, outcome: 'unfinished' },
    ])
    // Collected as never sent, so never sent; and a late end changes nobody else.
    ledger.ended(2, 7500, 'ok')
    expect(ledger.take()).toBe(4)
    expect(unpack(ledger.collect(5000, 8000))).toEqual([
      { tenant: 0, seq: 4, intendedUs: 4000, handedUs: null, endUs: 8000, outcome: 'unfinished' },
    ])
  })

  test('keeps the end of one that was given up, which is no longer waited for', () => {
    const ledger = new Ledger(everyMs())
    ledger.handed(ledger.take(), 10)
    expect(ledger.openBefore(1000)).toBe(0)
    ledger.ended(0, 5000, 'unfinished')
    expect(ledger.openBefore(1000)).toBe(null)
    expect(unpack(ledger.collect(1000, 90_000))).toMatchObject([{ endUs: 5000, outcome: 'unfinished' }])
  })

  test('holds no more than what was not collected, however long the run', () => {
    const ledger = new Ledger(everyMs())
    let [collected, most] = [0, 0]
    for (let second = 1; second <= 300; second++) {
      while (ledger.peekUs() < second * 1e6) ledger.handed(ledger.take(), 0)
      const operations = unpack(ledger.collect(second * 1e6 - 5000, second * 1e6))
      expect(operations[0]?.seq).toBe(collected)
      collected += operations.length
      most = Math.max(most, ledger.size)
    }
    expect(collected).toBe(299_995)
    expect(most).toBeLessThanOrEqual(5)
  })

  test('outgrows its first room and keeps everything in place', () => {
    const ledger = new Ledger(everyMs(3))
    for (let seq = 0; seq < 5000; seq++) ledger.handed(ledger.take(), seq * 1000 + 7)
    for (let seq = 0; seq < 5000; seq += 2) ledger.ended(seq, seq * 1000 + 99, 'ok')
    const operations = unpack(ledger.collect(5e6, 6e6))
    expect(operations).toHaveLength(5000)
    for (const [seq, op] of operations.entries()) {
      expect(op).toMatchObject({ seq, tenant: seq % 3, intendedUs: seq * 1000, handedUs: seq * 1000 + 7 })
      expect([op.outcome, op.endUs]).toEqual(seq % 2 === 0 ? ['ok', seq * 1000 + 99] : ['unfinished', 6e6])
    }
  })

  test('has nothing more to send when a schedule has ended', () => {
    const ledger = new Ledger([{ tenant: 0, intendedUs: 5 }])
    expect([ledger.peekUs(), ledger.take(), ledger.peekUs()]).toEqual([5, 0, Number.POSITIVE_INFINITY])
    expect(() => ledger.take()).toThrow('there was none')
  })
})

test('the placebo sink counts each command once, however its bytes are cut', () => {
  const one = '*5\r\n$4\r\nxadd\r\n$1\r\nk\r\n$1\r\n*\r\n$1\r\nf\r\n$4\r\na\r\nb\r\n'
  const bytes = Buffer.from(one.repeat(7))
  for (let cut = 1; cut < 60; cut++) {
    const count = commandCounter()
    const names: string[] = []
    for (let at = 0; at < bytes.length; at += cut) names.push(...count(bytes.subarray(at, at + cut)))
    expect(names).toEqual(Array(7).fill('XADD'))
  }
})
