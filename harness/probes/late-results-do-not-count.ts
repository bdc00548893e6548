// Promise: a run that was ended by its deadline stays ended, whatever its work says later. Each run is looked at twice,
// before and after its late result was due.

import { type ActProbe, ActSeen, findings, firstMs, sawRun } from './act-probe.ts'

const name = 'late-results-do-not-count'
const { held, broken, inconclusive } = findings(name)

export const lateResultsDoNotCount: ActProbe = {
  name,
  promise: 'what a run says after its deadline changes nothing',
  act: 'deadline',
  catalogue: ['E13'],
  judge(lines) {
    const seen = new ActSeen(lines)
    const tenant = seen.tenants.get('overlong')
    const [limitMs, before] = [tenant?.maxRunMs ?? 0, new Map(seen.begun('overlong', 1).map((run) => [run.id, run]))]
    const now = seen.begun('overlong', 2)
    const nowMs = seen.lastMs(2)
    const declared = (workflow: string) => tenant?.declaredMs[workflow] ?? 0
    // Its result has come by now, and it was to be ended before that.
    const due = now.filter((run) => {
      return declared(run.workflow) > limitMs && run.startedMs + declared(run.workflow) + 100 < nowMs
    })
    const changed = due.filter((run) => {
      const was = before.get(run.id)
      const wasEnded = was !== undefined && was.endedMs !== null
      return wasEnded && (was.status !== run.status || was.endedMs !== run.endedMs)
    })
    const asDone = due.filter((run) => run.status === 'done')
    const controls = now.filter((run) => declared(run.workflow) <= limitMs && run.status === 'done').length
    const counts = { opportunities: due.length, controls }
    const guilty = [...new Set([...changed, ...asDone])]
    if (guilty.length > 0) {
      const reason = `${guilty.length} of ${due.length} runs whose result came after their deadline of ${limitMs} ms ended with that result`
      return broken(
        counts,
        ['overlong'],
        reason,
        guilty.map((run) => sawRun(run, firstMs(now))),
      )
    }
    const ended = due.filter((run) => (before.get(run.id)?.endedMs ?? null) !== null).length
    if (ended === 0 || controls === 0) {
      const reason = `no run was seen ended before its late result came (${due.length} late results), or the control failed`
      return inconclusive(counts, ['overlong'], reason)
    }
    return held(counts, ['overlong'], `${due.length} late results changed nothing; ${ended} were seen ended before`)
  },
}
