// Promise: a tenant that sends a run now and then waits in the order of one run, not of what others have waiting.

import { type ActProbe, ActSeen, findings, firstMs, median, sawRun } from './act-probe.ts'

const name = 'sparse-tenants-do-not-wait-for-backlogs'
const { held, broken, inconclusive } = findings(name)

export const sparseTenantsDoNotWaitForBacklogs: ActProbe = {
  name,
  promise: 'a sparse tenant waits in the order of one run, not of the backlog of others',
  act: 'hogs',
  catalogue: ['E01', 'E03'],
  judge(lines) {
    const seen = new ActSeen(lines)
    const nowMs = seen.lastMs()
    const longMs = seen.tenants.get('long')?.declaredMs.work ?? 0
    const waits = (tenant: string) => seen.runs(tenant).map((run) => (run.startedMs ?? nowMs) - run.queuedMs)
    const own = median(waits('sparse'))
    const theirs = median(['short-1', 'short-2', 'short-3'].flatMap(waits))
    const sparse = seen.runs('sparse')
    const counts = { opportunities: sparse.length, controls: sparse.filter(({ status }) => status === 'done').length }
    if (own === null || theirs === null) return inconclusive(counts, ['sparse'], 'no run was seen')
    const told = `sparse waited ${Math.round(own)} ms in the median over ${sparse.length} runs, the backlogged ${Math.round(theirs)} ms; a long run takes ${longMs} ms`
    if (theirs < 5 * longMs) return inconclusive(counts, ['sparse'], `there was no backlog to speak of: ${told}`)
    if (own > 3 * longMs && own > 0.5 * theirs) {
      return broken(
        counts,
        ['sparse'],
        told,
        sparse.map((run) => sawRun(run, firstMs(sparse))),
      )
    }
    if (own > 2 * longMs || counts.controls < 5) return inconclusive(counts, ['sparse'], told)
    return held(counts, ['sparse'], told)
  },
}
