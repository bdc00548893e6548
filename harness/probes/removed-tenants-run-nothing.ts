// Promise: once the removal of a tenant is answered, nothing of it runs or is written: whoever takes the same id sees no
// run but its own, not even when late results of the old ones were due. The control is the new tenant's own runs.

import { type ActProbe, ActSeen, findings, firstMs, isAccepted, sawRun } from './act-probe.ts'

const name = 'removed-tenants-run-nothing'
const { held, broken, inconclusive } = findings(name)

export const removedTenantsRunNothing: ActProbe = {
  name,
  promise: 'nothing of a removed tenant runs or turns up for whoever has its id next',
  act: 'removal',
  catalogue: ['E25', 'D19'],
  judge(lines) {
    const seen = new ActSeen(lines)
    const first = seen.runs('first', 1)
    const inFlight = first.filter(({ startedMs, endedMs }) => startedMs !== null && endedMs === null).length
    const own = new Set(seen.starts.filter(isAccepted).flatMap(({ tenant, id }) => (tenant === 'second' ? [id] : [])))
    const seenBySecond = [...seen.runs('second', 2), ...seen.runs('second', 3)]
    const foreign = seenBySecond.filter(({ id }) => !own.has(id))
    const backlog = seen.marks.find(({ what }) => what === 'backlog')?.value ?? 0
    const controls = seen.runs('second', 3).filter(({ id, status }) => own.has(id) && status === 'done').length
    const counts = { opportunities: first.length, controls }
    const when = `${inFlight} of ${first.length} runs were in flight at the removal`
    if (foreign.length > 0 || backlog > 0) {
      const what = `${new Set(foreign.map(({ id }) => id)).size} runs of the removed tenant were shown to the next one, ${backlog} were queued or active for it`
      return broken(
        counts,
        ['first', 'second'],
        `${what}; ${when}`,
        foreign.map((run) => sawRun(run, firstMs(first))),
      )
    }
    if (inFlight === 0 || inFlight === first.length || controls === 0) {
      return inconclusive(counts, ['first', 'second'], `none in flight or none waiting, or the control failed: ${when}`)
    }
    return held(counts, ['first', 'second'], `0 of them turned up; ${when}`)
  },
}
