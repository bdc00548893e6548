// Promise: the places that a killed process held come back, once each: after the crash a tenant runs as many at once as its
// cap says, and never more.

import { type ActProbe, ActSeen, findings, firstMs, sawRun } from './act-probe.ts'
import { mostAtOnce } from './slot-time.ts'

const name = 'slots-come-back-after-a-crash'
const { held, broken, inconclusive } = findings(name)

export const slotsComeBackAfterACrash: ActProbe = {
  name,
  promise: 'after a crash a tenant runs as many at once as its cap says: no fewer, no more',
  act: 'crash',
  catalogue: ['E10'],
  judge(lines) {
    const seen = new ActSeen(lines)
    const again = seen.begun().filter(({ attempt }) => attempt > 1)
    const backMs = Math.min(...again.map(({ startedMs }) => startedMs))
    const told: string[] = []
    const wrong: string[] = []
    const weak: string[] = []
    let controls = 0
    for (const { tenant, concurrentRuns: cap } of seen.tenants.values()) {
      const waiting = seen.runs(tenant).filter(({ startedMs }) => startedMs === null).length
      const { most } = mostAtOnce(seen.begun(tenant).filter(({ startedMs }) => startedMs >= backMs))
      controls += seen.runs(tenant).filter(({ status }) => status === 'done').length
      told.push(`${tenant} ran ${most} at once from then on, its cap is ${cap}, ${waiting} still wait`)
      if (most > cap || (most < cap && waiting > 0)) wrong.push(tenant)
      else if (most < cap) weak.push(tenant)
    }
    const counts = { opportunities: again.length, controls }
    const reason = `${again.length} runs were tried again; ${told.join('; ')}`
    if (again.length === 0) {
      const stuck = seen.runs().filter(({ endedMs }) => endedMs === null)
      const tenants = [...new Set(stuck.map(({ tenant }) => tenant))]
      if (stuck.length === 0) return inconclusive(counts, [], `nothing was in flight at the crash: ${told.join('; ')}`)
      return broken(
        counts,
        tenants,
        `${stuck.length} runs never went on`,
        stuck.map((run) => sawRun(run, firstMs(stuck))),
      )
    }
    if (wrong.length > 0)
      return broken(
        counts,
        wrong,
        reason,
        again.map((run) => sawRun(run, firstMs(again))),
      )
    if (weak.length > 0) return inconclusive(counts, weak, `too few runs were left to fill the cap: ${reason}`)
    return held(counts, [...seen.tenants.keys()], reason)
  },
}
