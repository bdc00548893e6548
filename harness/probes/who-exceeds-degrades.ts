// Promise: the one who exceeds its limit is the one who is turned away. A twin with the same limit, which stays within it,
// is the positive control.

import { type ActProbe, ActSeen, findings } from './act-probe.ts'

const name = 'who-exceeds-degrades'
const { held, broken, inconclusive } = findings(name)

export const whoExceedsDegrades: ActProbe = {
  name,
  promise: 'a tenant that exceeds its limit is turned away, its twin within the limit is not',
  act: 'rate',
  catalogue: ['E28', 'E11'],
  judge(lines) {
    const seen = new ActSeen(lines)
    const of = (tenant: string) => seen.starts.filter((start) => start.tenant === tenant && start.status > 0)
    const refused = (tenant: string) => of(tenant).filter(({ status }) => status === 429)
    const limit = seen.tenants.get('eager')?.startsPerMinute ?? 0
    const counts = { opportunities: Math.max(0, of('eager').length - limit), controls: seen.accepted('twin').length }
    const asked = `eager asked ${of('eager').length} times, twin ${of('twin').length} times, the limit of each is ${limit} in 60 s`
    const [turnedAway] = refused('twin')
    if (turnedAway) {
      const what = `twin: a start within its limit was answered ${turnedAway.status}`
      const reason = `${refused('twin').length} starts of twin, which kept to its limit, were turned away; ${asked}`
      return broken(counts, ['twin'], reason, [{ atUs: turnedAway.leftUs, arm: 'other', what }])
    }
    if (counts.opportunities < limit || counts.controls === 0 || counts.controls < of('twin').length) {
      return inconclusive(counts, ['eager', 'twin'], `nobody exceeded by enough, or the control failed: ${asked}`)
    }
    if (refused('eager').length === 0) return broken(counts, ['eager'], `nothing of eager was turned away; ${asked}`)
    return held(
      counts,
      ['eager', 'twin'],
      `${refused('eager').length} starts of eager were turned away, 0 of twin; ${asked}`,
    )
  },
}
