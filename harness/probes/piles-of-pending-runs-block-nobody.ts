// Promise: however many runs were pending when their worker died, they are found again, all of them, and a tenant that had
// nothing to do with them is served meanwhile. More than a thousand: what one look at the pending ones takes in is less.

import { type ActProbe, ActSeen, findings, firstMs, median, sawRun } from './act-probe.ts'

const name = 'piles-of-pending-runs-block-nobody'
const { held, broken, inconclusive } = findings(name)
const PILE = 1000
const STUCK_MS = 2000
const CALM_MS = 500

export const pilesOfPendingRunsBlockNobody: ActProbe = {
  name,
  promise: 'more than a thousand runs that a dead worker left are all done, and a neighbour is served meanwhile',
  act: 'pending',
  catalogue: ['E15'],
  judge(lines) {
    const seen = new ActSeen(lines)
    const accepted = new Set(seen.accepted('piled').map(({ id }) => id))
    const piled = seen.runs('piled').filter(({ id }) => accepted.has(id))
    const undone = piled.filter(({ status }) => status !== 'done')
    const missing = accepted.size - piled.length
    // Tried again, or begun and never ended: it was pending when its worker died.
    const pending = piled.filter(
      ({ attempt, startedMs, endedMs }) => attempt > 1 || (startedMs !== null && endedMs === null),
    )
    const quiet = seen.runs('quiet')
    const waits = quiet.map((run) => (run.startedMs ?? seen.lastMs()) - run.queuedMs)
    const stuck = quiet.filter((_, i) => (waits[i] ?? 0) > STUCK_MS)
    const counts = { opportunities: pending.length, controls: quiet.filter(({ status }) => status === 'done').length }
    const told = `${pending.length} of ${accepted.size} runs were pending at the crash, ${undone.length + missing} were not done in the end; quiet waited ${Math.round(median(waits) ?? 0)} ms in the median over ${quiet.length} runs`
    if (!seen.marks.some(({ what }) => what === 'killed') || pending.length < PILE)
      return inconclusive(counts, ['piled'], `fewer than ${PILE} were pending, or nothing was killed: ${told}`)
    if (undone.length + missing > 0) {
      const zeroMs = firstMs(piled)
      return broken(
        counts,
        ['piled'],
        told,
        undone.map((run) => sawRun(run, zeroMs)),
      )
    }
    if (stuck.length >= 5) {
      const zeroMs = firstMs(quiet)
      return broken(
        counts,
        ['quiet'],
        told,
        stuck.map((run) => sawRun(run, zeroMs)),
      )
    }
    if (stuck.length > 0 || counts.controls < 20 || (median(waits) ?? 0) > CALM_MS)
      return inconclusive(counts, ['quiet'], told)
    return held(counts, ['piled', 'quiet'], told)
  },
}
