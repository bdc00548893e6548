// Promise: a retry is a start like any other: first attempts and retries together stay within the starts of any 60 s.
// The act lasts a few seconds, so all that was tried in it lies in one such window.

import { type ActProbe, ActSeen, findings, firstMs, sawRun } from './act-probe.ts'

const name = 'retries-are-charged'
const { held, broken, inconclusive } = findings(name)
const MINUTE_MS = 60_000

export const retriesAreCharged: ActProbe = {
  name,
  promise: 'first attempts and retries together stay within the starts of any 60 s',
  act: 'poison',
  catalogue: ['E14'],
  judge(lines) {
    const seen = new ActSeen(lines)
    const limit = seen.tenants.get('storm')?.startsPerMinute ?? 0
    const runs = seen.runs('storm')
    // One that waits for its n-th attempt has had n−1.
    const tried = runs.reduce((sum, run) => sum + (run.status === 'queued' ? run.attempt - 1 : run.attempt), 0)
    const retried = runs.filter(({ attempt }) => attempt > 1).length
    const counts = { opportunities: Math.max(0, tried - runs.length), controls: seen.accepted('storm').length }
    const told = `${tried} attempts of ${runs.length} runs, ${retried} of them retried; the limit is ${limit} starts in 60 s`
    const tookMs = seen.lastMs() - firstMs(runs)
    if (tried > limit && tookMs < MINUTE_MS) {
      return broken(
        counts,
        ['storm'],
        told,
        runs.map((run) => sawRun(run, firstMs(runs))),
      )
    }
    if (counts.opportunities === 0 || tried < limit)
      return inconclusive(counts, ['storm'], `the limit was not reached: ${told}`)
    return held(counts, ['storm'], told)
  },
}
