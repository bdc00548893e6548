// Promise: what was admitted before the target was killed is done after it came back, whoever held it. The control is that
// some runs had ended, some were in flight and some waited when it was killed.

import { type ActProbe, ActSeen, findings, firstMs, sawRun } from './act-probe.ts'

const name = 'crashes-lose-no-run'
const { held, broken, inconclusive } = findings(name)

export const crashesLoseNoRun: ActProbe = {
  name,
  promise: 'what was admitted before a crash is done after it',
  act: 'crash',
  catalogue: ['E10', 'E15', 'E22'],
  judge(lines) {
    const seen = new ActSeen(lines)
    const accepted = new Set(seen.starts.filter(({ status }) => status >= 200 && status < 300).map(({ id }) => id))
    const runs = seen.runs().filter(({ id }) => accepted.has(id))
    const undone = runs.filter(({ status }) => status !== 'done')
    const again = runs.filter(({ attempt }) => attempt > 1).length
    const missing = accepted.size - runs.length
    const counts = { opportunities: accepted.size, controls: runs.length - undone.length }
    const told = `${undone.length + missing} of ${accepted.size} runs were not done within 14 s after the crash; ${again} were tried again`
    if (!seen.marks.some(({ what }) => what === 'killed'))
      return inconclusive(counts, [], `nothing was killed: ${told}`)
    const hurt = [...new Set(undone.map(({ tenant }) => tenant))]
    if (undone.length + missing > 0)
      return broken(
        counts,
        hurt,
        told,
        undone.map((run) => sawRun(run, firstMs(runs))),
      )
    if (again === 0) return inconclusive(counts, [], `nothing was in flight at the crash: ${told}`)
    return held(counts, [...seen.tenants.keys()], told)
  },
}
