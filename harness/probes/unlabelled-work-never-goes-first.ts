// Promise: entries that were written straight into a stream, without a word of where they come from, are held to the
// tenant's cap, do not pass what was admitted before them, and cost no neighbour a wait; of those that can make no run,
// none comes. All times are the target's.

import { type ActProbe, ActSeen, type BegunRun, findings, firstMs, median, sawRun } from './act-probe.ts'
import { mostAtOnce } from './slot-time.ts'

const name = 'unlabelled-work-never-goes-first'
const { held, broken, inconclusive } = findings(name)
/** Written later by at least so much, and begun earlier: two clock readings apart at the least. */
const LATER_MS = 5
const PASSED_MAX = 2
const CALM_MS = 100
const STUCK_MS = 1500

/** Admitted runs that something written later had passed when they began. */
function passedOver(labelled: readonly BegunRun[], bare: readonly BegunRun[]): BegunRun[] {
  return labelled.filter((run) => {
    return bare.some((other) => other.queuedMs >= run.queuedMs + LATER_MS && other.startedMs < run.startedMs)
  })
}

export const unlabelledWorkNeverGoesFirst: ActProbe = {
  name,
  promise: 'entries without a label keep to the cap, pass nothing that was admitted, and cost no neighbour a wait',
  act: 'unlabelled',
  catalogue: ['E07'],
  judge(lines) {
    const seen = new ActSeen(lines)
    const marked = (what: string) => {
      return seen.marks.reduce((sum, mark) => sum + (mark.what === what ? mark.value : 0), 0)
    }
    const accepted = new Set(seen.accepted('flooded').map(({ id }) => id))
    const begun = seen.begun('flooded').filter(({ attempt }) => attempt === 1)
    const labelled = begun.filter(({ id }) => accepted.has(id))
    const bare = begun.filter(({ id }) => !accepted.has(id))
    const passed = passedOver(labelled, bare)
    const cap = seen.tenants.get('flooded')?.concurrentRuns ?? 0
    const { most, at } = mostAtOnce(seen.begun('flooded'))
    const waits = seen.runs('neighbour').map((run) => (run.startedMs ?? seen.lastMs()) - run.queuedMs)
    const wait = median(waits) ?? 0
    const stuck = seen.runs('neighbour').filter((_, i) => (waits[i] ?? 0) > STUCK_MS)
    const neighbours = seen.runs('neighbour').filter(({ status }) => status === 'done').length
    const made = seen.runs('flooded').filter(({ id }) => !accepted.has(id))
    const counts = { opportunities: marked('bare') + marked('malformed'), controls: labelled.length + neighbours }
    const told =
      `${passed.length} of ${labelled.length} admitted runs were passed by unlabelled ones; ${most} ran at once, the cap is ${cap}; ` +
      `${made.length} runs came of ${marked('bare')} bare and ${marked('malformed')} malformed entries; neighbour waited ${Math.round(wait)} ms in the median`
    const saw = (runs: readonly BegunRun[]) => runs.map((run) => sawRun(run, firstMs(begun)))
    if (most > cap && begun.length > 0) return broken(counts, ['flooded'], told, saw(at))
    if (marked('bare') > 0 && made.length > marked('bare')) return broken(counts, ['flooded'], told, saw(bare))
    if (passed.length > PASSED_MAX) return broken(counts, ['flooded'], told, saw(passed))
    if (stuck.length >= 5) {
      const zeroMs = firstMs(stuck)
      return broken(
        counts,
        ['neighbour'],
        told,
        stuck.map((run) => sawRun(run, zeroMs)),
      )
    }
    if (labelled.length < 20 || bare.length < 50 || most < cap || neighbours < 10 || marked('malformed') < 100)
      return inconclusive(counts, ['flooded'], `there was no flood to speak of, or the control failed: ${told}`)
    if (passed.length > 0 || wait > CALM_MS) return inconclusive(counts, ['flooded', 'neighbour'], told)
    return held(counts, ['flooded', 'neighbour'], told)
  },
}
