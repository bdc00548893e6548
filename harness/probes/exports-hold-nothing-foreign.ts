// Promise: what a tenant gets when it asks for all that is its own holds no canary of anybody else, also when several ask
// at the same time. The control is its own canaries in the same answer, and that others had some to be seen.

import { type ActProbe, ActSeen, findings, isAnswered } from './act-probe.ts'

const name = 'exports-hold-nothing-foreign'
const { held, broken, inconclusive } = findings(name)

export const exportsHoldNothingForeign: ActProbe = {
  name,
  promise: 'an export holds nothing of another tenant',
  act: 'export',
  catalogue: ['D03', 'D17'],
  judge(lines) {
    const seen = new ActSeen(lines)
    const answers = seen.exports.filter(isAnswered)
    const leaks = answers.flatMap((answer) => answer.foreign.map((sighting) => ({ ...sighting, answer })))
    const controls = answers.reduce((sum, { own }) => sum + own.length, 0)
    const counts = { opportunities: answers.length, controls }
    if (leaks.length > 0) {
      const pairs = [...new Set(leaks.map(({ owner, answer }) => `${answer.tenant} saw ${owner}`))].sort()
      const reason = `${leaks.length} foreign canaries in ${answers.length} exports: ${pairs.join(', ')}`
      const witness = leaks.map(({ owner, digest, encoding, answer }) => {
        const what = `${answer.tenant}: canary ${digest} of ${owner} in its export (${encoding})`
        return { atUs: answer.answeredUs, arm: 'other' as const, what }
      })
      return broken(counts, [...new Set(leaks.map(({ owner }) => owner))].sort(), reason, witness)
    }
    const owners = [...new Set(seen.canaries.map(({ tenant }) => tenant))]
    const blind = owners.filter(
      (tenant) => !answers.some((answer) => answer.tenant === tenant && answer.own.length > 0),
    )
    const told = `0 foreign canaries in ${answers.length} exports with ${controls} own ones, of ${owners.length} tenants`
    if (owners.length < 2 || blind.length > 0)
      return inconclusive(counts, blind, `a tenant never saw its own canary, or there was nobody else: ${told}`)
    return held(counts, owners, told)
  },
}
