// Promise: while all wait, slot time is shared in proportion to the weights. Compared per unit of weight, least over most.

import { type ActProbe, ActSeen, findings, firstMs, sawRun } from './act-probe.ts'
import { contended, MIN_SPAN_MS, minMax, shareWords } from './shares.ts'

const name = 'weights-share-in-proportion'
const { held, broken, inconclusive } = findings(name)
/** Equal shares for weights of 1 and 4 give 0.25. */
const HELD_FROM = 0.65
const BROKEN_BELOW = 0.45

export const weightsShareInProportion: ActProbe = {
  name,
  promise: 'slot time is shared in proportion to the weights of those that wait',
  act: 'weights',
  catalogue: ['E20'],
  judge(lines) {
    const seen = new ActSeen(lines)
    const names = [...seen.tenants.keys()]
    const { shares, spanMs, runs, done } = contended(seen, names)
    const counts = { opportunities: runs, controls: done }
    const ratio = minMax(names.map((tenant) => (shares.get(tenant) ?? 0) / (seen.tenants.get(tenant)?.weight ?? 1)))
    const told = `per unit of weight the least had ${ratio.toFixed(2)} of the most: ${shareWords(shares, spanMs, runs)}`
    if (spanMs < MIN_SPAN_MS) return inconclusive(counts, names, `all waited together for too short a time: ${told}`)
    if (ratio < BROKEN_BELOW) {
      const witness = names.flatMap((tenant) => seen.begun(tenant).slice(0, 1))
      return broken(
        counts,
        names,
        told,
        witness.map((run) => sawRun(run, firstMs(seen.runs()))),
      )
    }
    return ratio < HELD_FROM ? inconclusive(counts, names, told) : held(counts, names, told)
  },
}
