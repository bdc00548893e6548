// Promise: when the consumer group of a tenant's stream is lost, its runs are found again, each ends once, and its
// neighbour does not notice.

import { type ActProbe, ActSeen, findings, firstMs, sawRun } from './act-probe.ts'

const name = 'a-lost-group-loses-no-run'
const { held, broken, inconclusive } = findings(name)

export const aLostGroupLosesNoRun: ActProbe = {
  name,
  promise: 'a tenant whose consumer group is lost loses no run, and its neighbour does not notice',
  act: 'lost-group',
  catalogue: ['E16'],
  judge(lines) {
    const seen = new ActSeen(lines)
    const lost = seen.marks.find(({ what }) => what === 'groups lost')?.value ?? 0
    const after = (tenant: string) => {
      const accepted = new Set(seen.accepted(tenant).map(({ id }) => id))
      const runs = seen.runs(tenant).filter(({ id }) => accepted.has(id))
      return { accepted: accepted.size, undone: runs.filter(({ status }) => status !== 'done'), runs }
    }
    const [loser, neighbour] = [after('loser'), after('neighbour')]
    const counts = { opportunities: loser.accepted, controls: neighbour.runs.length - neighbour.undone.length }
    const missing = loser.accepted - loser.runs.length + loser.undone.length
    const hurt = neighbour.accepted - neighbour.runs.length + neighbour.undone.length
    const told = `${missing} of ${loser.accepted} runs of loser and ${hurt} of ${neighbour.accepted} of neighbour did not end well within 6 s after the group was lost`
    if (lost === 0 || loser.accepted < 20) return inconclusive(counts, ['loser'], `no group was there to lose: ${told}`)
    if (hurt > 0 || missing > 0) {
      const witness = [...neighbour.undone, ...loser.undone].map((run) => sawRun(run, firstMs(seen.runs())))
      return broken(counts, hurt > 0 ? ['loser', 'neighbour'] : ['loser'], told, witness)
    }
    return held(counts, ['loser', 'neighbour'], told)
  },
}
