// Promise: runs that always fail are given up after their attempts, and cost nobody else a run or an attempt.

import { type ActProbe, ActSeen, findings, firstMs, sawRun } from './act-probe.ts'

const name = 'poison-hurts-its-owner-only'
const { held, broken, inconclusive } = findings(name)

export const poisonHurtsItsOwnerOnly: ActProbe = {
  name,
  promise: 'runs that always fail are given up in the end, and cost nobody else a run',
  act: 'poison',
  catalogue: ['E14', 'E22'],
  judge(lines) {
    const seen = new ActSeen(lines)
    const accepted = seen.accepted('neighbour').length
    const runs = seen.runs('neighbour')
    const poisoned = seen.runs('poisoned')
    const hurt = runs.filter(({ status, attempt }) => status !== 'done' || attempt !== 1)
    const endless = poisoned.filter(({ endedMs, status }) => endedMs === null || status === 'done')
    const counts = { opportunities: poisoned.length, controls: runs.length - hurt.length }
    const told = `${hurt.length} of ${accepted} runs of neighbour did not end well at their first attempt; ${endless.length} of ${poisoned.length} runs that always fail were not given up within 4 s`
    const missing = accepted - runs.length
    if (poisoned.length === 0 || accepted === 0)
      return inconclusive(counts, ['poisoned'], `nothing was poisoned: ${told}`)
    if (hurt.length > 0 || missing > 0) {
      return broken(
        counts,
        ['neighbour'],
        `${told}; ${missing} are gone`,
        hurt.map((run) => sawRun(run, firstMs(runs))),
      )
    }
    if (endless.length > 0) {
      return broken(
        counts,
        ['poisoned'],
        told,
        endless.map((run) => sawRun(run, firstMs(poisoned))),
      )
    }
    return held(counts, ['poisoned', 'neighbour'], told)
  },
}
