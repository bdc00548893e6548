// Promise: turns are counted in time, not in runs: a tenant whose runs take ten times as long has no more slot time than its
// neighbours, as long as all of them have runs waiting.

import { type ActProbe, ActSeen, findings, firstMs, sawRun } from './act-probe.ts'
import { contended, MIN_SPAN_MS, shareWords } from './shares.ts'

const name = 'time-hogs-wait-their-turn'
const { held, broken, inconclusive } = findings(name)
/** As multiples of the fair share. */
const HELD_AT_MOST = 1.5
const BROKEN_FROM = 1.9

export const timeHogsWaitTheirTurn: ActProbe = {
  name,
  promise: 'a tenant with long runs has no more slot time than its neighbours with short ones',
  act: 'hogs',
  catalogue: ['E03'],
  judge(lines) {
    const seen = new ActSeen(lines)
    const names = ['long', 'short-1', 'short-2', 'short-3']
    const { shares, spanMs, runs, done } = contended(seen, names)
    const counts = { opportunities: runs, controls: done }
    const told = shareWords(shares, spanMs, runs)
    if (spanMs < MIN_SPAN_MS) return inconclusive(counts, ['long'], `all waited together for too short a time: ${told}`)
    const times = (shares.get('long') ?? 0) * names.length
    if (times >= BROKEN_FROM) {
      const witness = seen.begun('long').map((run) => sawRun(run, firstMs(seen.runs())))
      return broken(counts, ['long'], `long had ${times.toFixed(2)} times its fair share: ${told}`, witness)
    }
    if (times > HELD_AT_MOST)
      return inconclusive(counts, ['long'], `long had ${times.toFixed(2)} times its fair share: ${told}`)
    return held(counts, names, told)
  },
}
