// Promise: at most N starts are admitted in any 60 s, over however many connections, and past the minute's edge. Counted on
// our own clock: N+1 admitted starts count only when all of them, answers included, lie within less than 60 s.

import type { ActStart } from '../evidence/acts.ts'
import { type ActProbe, ActSeen, findings } from './act-probe.ts'

const name = 'starts-stay-within-rate'
const MINUTE_US = 60e6
const { held, broken, inconclusive } = findings(name)

/** The first N+1 starts that lie too close together. */
function tooClose(accepted: readonly ActStart[], limit: number): ActStart[] | null {
  const sorted = [...accepted].sort((x, y) => x.leftUs - y.leftUs)
  for (let i = 0; i + limit < sorted.length; i++) {
    const some = sorted.slice(i, i + limit + 1)
    const last = some.reduce((latest, { answeredUs }) => Math.max(latest, answeredUs), 0)
    if (last - (some[0]?.leftUs ?? 0) < MINUTE_US) return some
  }
  return null
}

const saw = ({ tenant, leftUs, answeredUs, status }: ActStart, nth: number) => {
  return {
    atUs: leftUs,
    arm: 'other' as const,
    what: `${tenant}: start ${nth} was answered ${status} at ${answeredUs} µs`,
  }
}

export const startsStayWithinRate: ActProbe = {
  name,
  promise: 'at most as many starts as its limit says are admitted of a tenant in any 60 s',
  act: 'rate',
  catalogue: ['E08', 'E11'],
  judge(lines) {
    const seen = new ActSeen(lines)
    let opportunities = 0
    let controls = 0
    const unasked: string[] = []
    for (const { tenant, startsPerMinute } of seen.tenants.values()) {
      const asked = seen.starts.filter((start) => start.tenant === tenant && start.status > 0).length
      const accepted = seen.accepted(tenant)
      opportunities += Math.max(0, asked - startsPerMinute)
      controls += Math.min(accepted.length, startsPerMinute)
      const close = tooClose(accepted, startsPerMinute)
      const [first, last] = [close?.[0], close?.at(-1)]
      if (close && first && last) {
        const seconds = ((last.answeredUs - first.leftUs) / 1e6).toFixed(1)
        const reason = `${accepted.length} starts of ${tenant} were admitted, ${close.length} of them within ${seconds} s; the limit is ${startsPerMinute} in 60 s`
        return broken({ opportunities, controls }, [tenant], reason, [saw(first, 1), saw(last, close.length)])
      }
      if (accepted.length < startsPerMinute)
        unasked.push(`${tenant} had ${accepted.length} of ${startsPerMinute} starts`)
    }
    const counts = { opportunities, controls }
    const tenants = [...seen.tenants.keys()]
    if (unasked.length > 0 || opportunities === 0) {
      const why =
        unasked.length > 0 ? `the limit was never reached: ${unasked.join(', ')}` : 'nothing was asked beyond the limit'
      return inconclusive(counts, tenants, why)
    }
    const reason = `${opportunities} starts beyond the limit were refused, ${controls} within it admitted`
    return held(counts, tenants, reason)
  },
}
