// Promise: who asks for all that is his gets it: every canary that the target was known to hold of him when he asked, as
// often as he is shown it otherwise, of runs as of entries of which none could come. Asked while he works, and at rest.

import type { ActCanary, ActExport } from '../evidence/acts.ts'
import type { Observation } from '../evidence/types.ts'
import { type ActProbe, ActSeen, findings, isAnswered } from './act-probe.ts'

const name = 'exports-leave-nothing-out'
const { held, broken, inconclusive } = findings(name)

/** What has to be in an answer to this question: what was known of before it left. */
function wantedOf(canaries: readonly ActCanary[], { tenant, leftUs }: ActExport): Map<string, ActCanary> {
  const wanted = new Map<string, ActCanary>()
  for (const canary of canaries) {
    if (canary.tenant !== tenant || canary.atUs > leftUs) continue
    if ((wanted.get(canary.digest)?.copies ?? 0) < canary.copies) wanted.set(canary.digest, canary)
  }
  return wanted
}

export const exportsLeaveNothingOut: ActProbe = {
  name,
  promise: 'an export holds every input, output and dead letter that its tenant had when it asked',
  act: 'export',
  catalogue: ['D03'],
  judge(lines) {
    const seen = new ActSeen(lines)
    const answers = seen.exports.filter(isAnswered)
    const counts = { opportunities: 0, controls: 0 }
    const witness: Observation[] = []
    const guilty = new Set<string>()
    let [missing, letters, repeated] = [0, 0, 0]
    for (const answer of answers) {
      const own = new Map(answer.own)
      for (const [digest, { of, copies, atUs }] of wantedOf(seen.canaries, answer)) {
        counts.opportunities++
        if (of === 'malformed entry') letters++
        if (copies > 1) repeated++
        const times = own.get(digest) ?? 0
        if (times >= copies) {
          counts.controls++
          continue
        }
        missing++
        guilty.add(answer.tenant)
        const ageMs = Math.round((answer.leftUs - atUs) / 1000)
        const what = `${answer.tenant}: canary ${digest} of a ${of}, known ${ageMs} ms before, was in the export ${times} times; it is shown ${copies} times`
        witness.push({ atUs: answer.leftUs, arm: 'other', what })
      }
    }
    const askers = [...new Set(seen.canaries.map(({ tenant }) => tenant))]
    const told = `${missing} of ${counts.opportunities} canaries were not in ${answers.length} exports as often as they should; ${letters} of dead letters, ${repeated} in outputs too`
    if (missing > 0) return broken(counts, [...guilty].sort(), told, witness)
    const unheard = askers.filter((tenant) => !answers.some((answer) => answer.tenant === tenant))
    if (askers.length === 0 || unheard.length > 0 || letters === 0 || repeated === 0) {
      const why = `not every tenant was answered, or there was nothing of one kind: ${told}`
      return inconclusive(counts, unheard.length > 0 ? unheard : askers, why)
    }
    return held(counts, askers, told)
  },
}
