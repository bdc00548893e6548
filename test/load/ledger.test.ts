import { expect, test } from 'vitest'
import { type Operation, pack, unpack } from '../../harness/load/ledger.ts'
import { commandCounter } from '../../harness/load/resp.ts'

test('operations come back from their packed form as they were', () => {
  const operations: Operation[] = [
    { tenant: 0, seq: 4, intendedUs: 12, startUs: 13.5, endUs: 99.25, outcome: 'ok' },
    { tenant: 3, seq: 5, intendedUs: 14, startUs: 15, endUs: 16, outcome: 'failed' },
    { tenant: 1, seq: 6, intendedUs: 20, startUs: 21, endUs: 500, outcome: 'unfinished' },
  ]
  expect(unpack(pack(operations))).toEqual(operations)
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
