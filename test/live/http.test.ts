// The gate on a system that is not ours, through the http adapter: the same design is judged the same, whoever built it.

import { afterEach, expect, test } from 'vitest'
import { foreignGate, tidyForeign } from './foreign.ts'
import { endOfAFail } from './partywall.ts'

afterEach(tidyForeign)
const LIMIT_MS = 120_000

test(
  'a first-in-first-out server is failed for interference',
  async () => {
    const { code, verdict } = await foreignGate('fifo')
    expect(verdict.interference.looks.at(-1)?.outcome).toBe('fail')
    expect({ outcome: verdict.outcome, code }).toEqual(endOfAFail(verdict))
    expect(verdict.findings.map(({ finding }) => finding)).toEqual(['held', 'held'])
    expect(verdict.isolation.dwell).toEqual({ state: 'not-told', why: 'not offered by the target' })
  },
  LIMIT_MS,
)
