// Promise: a run that its deadline has ended holds no place any more, whether its work listens or not. Seen by the tenant
// beside it, whose brief runs must go on being started.

import { type ActProbe, ActSeen, type BegunRun, findings, firstMs, median, sawRun } from './act-probe.ts'

const name = 'ended-runs-free-their-slot'
const { held, broken, inconclusive } = findings(name)
const WAIT_MS = 1500

export const endedRunsFreeTheirSlot: ActProbe = {
  name,
  promise: 'a run that its deadline has ended takes no place from its neighbours',
  act: 'deadline',
  catalogue: ['E13', 'E10'],
  judge(lines) {
    const seen = new ActSeen(lines)
    const brief = seen.runs('brief')
    const nowMs = seen.lastMs()
    const limitMs = seen.tenants.get('overlong')?.maxRunMs ?? 0
    const isEnded = (run: BegunRun) => run.endedMs !== null && run.endedMs - run.startedMs >= limitMs
    const ended = seen.begun('overlong').filter(isEnded).length
    const waits = brief.map(({ queuedMs, startedMs }) => (startedMs ?? nowMs) - queuedMs)
    const counts = { opportunities: ended, controls: brief.filter(({ status }) => status === 'done').length }
    const stuck = brief.filter((_, i) => (waits[i] ?? 0) > WAIT_MS)
    const told = `brief waited ${Math.round(median(waits) ?? 0)} ms in the median, ${Math.round(Math.max(0, ...waits))} ms at most, over ${brief.length} runs, while ${ended} runs of overlong were ended`
    // One long wait is a stall of the machine; a place that is not given back makes everybody after it wait.
    if (stuck.length >= 5)
      return broken(
        counts,
        ['brief'],
        told,
        stuck.map((run) => sawRun(run, firstMs(brief))),
      )
    if (stuck.length > 0 || ended < 4 || counts.controls < 10) return inconclusive(counts, ['brief'], told)
    return held(counts, ['brief'], told)
  },
}
