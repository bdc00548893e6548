// Promise: among tenants with equal weights and like runs, none is read before the others: all have the same slot time as
// long as all wait. Whoever reads their streams in a fixed order feeds the first one.

import { type ActProbe, ActSeen, findings, firstMs, sawRun } from './act-probe.ts'
import { contended, MIN_SPAN_MS, minMax, shareWords } from './shares.ts'

const name = 'equal-tenants-get-equal-shares'
const { held, broken, inconclusive } = findings(name)
const HELD_FROM = 0.6
const BROKEN_BELOW = 0.35

export const equalTenantsGetEqualShares: ActProbe = {
  name,
  promise: 'tenants with equal weights and like runs have the same slot time while all of them wait',
  act: 'hogs',
  catalogue: ['E17'],
  judge(lines) {
    const seen = new ActSeen(lines)
    const names = ['short-1', 'short-2', 'short-3']
    const { shares, spanMs, runs, done } = contended(seen, names)
    const counts = { opportunities: runs, controls: done }
    const ratio = minMax([...shares.values()])
    const told = `the least had ${ratio.toFixed(2)} of the most: ${shareWords(shares, spanMs, runs)}`
    if (spanMs < MIN_SPAN_MS) return inconclusive(counts, names, `all waited together for too short a time: ${told}`)
    if (ratio < BROKEN_BELOW) {
      const least = [...shares].sort((x, y) => x[1] - y[1])[0]?.[0] ?? ''
      return broken(
        counts,
        [least],
        told,
        seen.runs(least).map((run) => sawRun(run, firstMs(seen.runs()))),
      )
    }
    return ratio < HELD_FROM ? inconclusive(counts, names, told) : held(counts, names, told)
  },
}
