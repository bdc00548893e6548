// Promise: never more runs of a tenant at once than its cap, whatever ended before. From the history of runs, not from a
// counter; the positive control is that the cap was reached at all.

import { type ActProbe, ActSeen, findings, firstMs, sawRun } from './act-probe.ts'
import { mostAtOnce } from './slot-time.ts'

const name = 'runs-stay-within-cap'
const { held, broken, inconclusive } = findings(name)

export const runsStayWithinCap: ActProbe = {
  name,
  promise: 'never more runs of a tenant at once than its cap',
  act: 'cap',
  catalogue: ['E09', 'E10'],
  judge(lines) {
    const seen = new ActSeen(lines)
    const tenant = seen.tenants.get('many')
    const runs = seen.begun('many')
    if (!tenant || runs.length === 0)
      return inconclusive({ opportunities: 0, controls: 0 }, ['many'], 'no run was seen')
    const cap = tenant.concurrentRuns
    const { most, at } = mostAtOnce(runs)
    const timedOut = runs.filter(({ workflow, endedMs }) => workflow === 'overlong' && endedMs !== null).length
    const counts = { opportunities: runs.length, controls: runs.filter(({ status }) => status === 'done').length }
    const told = `${most} of ${runs.length} runs at once, the cap is ${cap}; ${timedOut} were ended by their deadline before`
    if (most > cap)
      return broken(
        counts,
        ['many'],
        told,
        at.map((run) => sawRun(run, firstMs(runs))),
      )
    if (most < cap || counts.controls <= cap)
      return inconclusive(counts, ['many'], `the cap was never put to the test: ${told}`)
    return held(counts, ['many'], told)
  },
}
