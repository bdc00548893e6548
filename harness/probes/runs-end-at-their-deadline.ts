// Promise: a run that hangs, or burns CPU, is ended at its deadline. A tenant whose runs take a moment is the control: where
// those took long too, the machine stalled, and only a run that had all of its time is held against the target.

import { type ActProbe, ActSeen, type BegunRun, findings, firstMs, sawRun } from './act-probe.ts'

const name = 'runs-end-at-their-deadline'
const { held, broken, inconclusive } = findings(name)
const LATE_MS = 1200
const BRIEF_MS = 600

export const runsEndAtTheirDeadline: ActProbe = {
  name,
  promise: 'a run is ended at its deadline, whether it hangs or burns CPU',
  act: 'deadline',
  catalogue: ['E13'],
  judge(lines) {
    const seen = new ActSeen(lines)
    const tenant = seen.tenants.get('overlong')
    const runs = seen.begun('overlong')
    const nowMs = seen.lastMs()
    const limitMs = tenant?.maxRunMs ?? 0
    const declared = (run: BegunRun) => tenant?.declaredMs[run.workflow] ?? 0
    const lasted = (run: BegunRun) => (run.endedMs ?? nowMs) - run.startedMs
    const overlong = runs.filter((run) => declared(run) > limitMs)
    const asked = overlong.filter((run) => run.endedMs !== null || lasted(run) > limitMs + LATE_MS)
    const controls = runs.filter((run) => declared(run) <= limitMs && run.status === 'done').length
    const counts = { opportunities: asked.length, controls }
    const late = asked.filter((run) => lasted(run) > limitMs + LATE_MS)
    const brief = seen
      .begun('brief')
      .map(lasted)
      .sort((x, y) => x - y)
    const calm = (brief[Math.floor(0.9 * brief.length)] ?? 0) < BRIEF_MS
    const guilty = late.filter((run) => calm || lasted(run) > 0.9 * declared(run))
    const longest = Math.round(asked.reduce((most, run) => Math.max(most, lasted(run)), 0))
    const told = `${asked.length} runs of ${new Set(asked.map(({ workflow }) => workflow)).size} kinds, the longest took ${longest} ms, the limit is ${limitMs} ms`
    if (guilty.length > 0) {
      const witness = guilty.map((run) => sawRun(run, firstMs(runs)))
      return broken(counts, ['overlong'], `${guilty.length} runs went on past their deadline: ${told}`, witness)
    }
    if (late.length > 0) return inconclusive(counts, ['overlong'], `the machine stalled: ${told}`)
    const kinds = new Set(overlong.map(({ workflow }) => workflow))
    const unseen = [...kinds].filter((kind) => !asked.some(({ workflow }) => workflow === kind))
    if (asked.length === 0 || controls === 0 || unseen.length > 0) {
      return inconclusive(
        counts,
        ['overlong'],
        `not every kind of run came to its deadline, or the control failed: ${told}`,
      )
    }
    return held(counts, ['overlong'], told)
  },
}
