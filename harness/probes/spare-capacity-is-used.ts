// Promise: what others leave is used. One tenant alone gets as much slot time a second as three together had; both are
// measured in the same run, between the first fifth and the last fifth of their starts.

import { type ActProbe, ActSeen, type BegunRun, findings, firstMs, sawRun } from './act-probe.ts'
import { slotMs } from './slot-time.ts'

const name = 'spare-capacity-is-used'
const { held, broken, inconclusive } = findings(name)
const HELD_FROM = 0.8
const BROKEN_BELOW = 0.6

/** Runs at the same time, in the mean, while there was no lack of them. */
function busySlots(runs: readonly BegunRun[]): number {
  const starts = runs.map(({ startedMs }) => startedMs).sort((x, y) => x - y)
  const fromMs = starts[Math.floor(0.2 * starts.length)] ?? 0
  const toMs = starts[Math.floor(0.8 * starts.length)] ?? 0
  return toMs > fromMs ? slotMs(runs, { fromMs, toMs }) / (toMs - fromMs) : 0
}

export const spareCapacityIsUsed: ActProbe = {
  name,
  promise: 'one tenant alone gets as much slot time as several together',
  act: 'alone',
  catalogue: ['E21'],
  judge(lines) {
    const seen = new ActSeen(lines)
    const alone = seen.begun('alone')
    const several = seen.begun().filter(({ tenant }) => tenant !== 'alone')
    const [one, all] = [busySlots(alone), busySlots(several)]
    const done = [...alone, ...several].filter(({ status }) => status === 'done').length
    const counts = { opportunities: alone.length, controls: done }
    const told = `${one.toFixed(1)} slots busy with one tenant alone (${alone.length} runs), ${all.toFixed(1)} with three (${several.length} runs)`
    if (alone.length < 50 || several.length < 50 || all < 2)
      return inconclusive(counts, ['alone'], `too little to compare: ${told}`)
    if (one / all < BROKEN_BELOW)
      return broken(
        counts,
        ['alone'],
        told,
        alone.map((run) => sawRun(run, firstMs(alone))),
      )
    return one / all < HELD_FROM ? inconclusive(counts, ['alone'], told) : held(counts, ['alone'], told)
  },
}
