// Promise: what a neighbour's payloads weigh is not waited for. Asked of the wait of a tenant's runs on the target's clock;
// our own clock would show what it costs us to send them. The control is another tenant's wait before they came.

import { type ActProbe, ActSeen, findings, firstMs, median, sawRun } from './act-probe.ts'

const name = 'big-payloads-hold-up-nobody'
const { held, broken, inconclusive } = findings(name)
const HELD_TIMES = 5
const HELD_MS = 60
const BROKEN_TIMES = 10
const BROKEN_MS = 300

export const bigPayloadsHoldUpNobody: ActProbe = {
  name,
  promise: 'a tenant does not wait for what its neighbours’ payloads weigh',
  act: 'payload',
  catalogue: ['E04'],
  judge(lines) {
    const seen = new ActSeen(lines)
    const waits = (tenant: string) => seen.runs(tenant).map((run) => (run.startedMs ?? seen.lastMs()) - run.queuedMs)
    const [before, beside] = [median(waits('before')), median(waits('beside'))]
    const runs = seen.runs('beside')
    const sent = seen.starts.filter(({ bytes }) => bytes !== undefined)
    const mib = sent.reduce((sum, { bytes = 0 }) => sum + bytes, 0) / 2 ** 20
    const counts = { opportunities: runs.length, controls: runs.filter(({ status }) => status === 'done').length }
    if (before === null || beside === null) return inconclusive(counts, ['beside'], 'no run was seen')
    const told = `runs waited ${Math.round(beside)} ms in the median beside ${mib.toFixed(1)} MiB of payloads in ${sent.length} starts, ${Math.round(before)} ms before`
    if (mib < 1) return inconclusive(counts, ['beside'], `there were no big payloads: ${told}`)
    if (beside > BROKEN_MS && beside > BROKEN_TIMES * before) {
      const zeroMs = firstMs(runs)
      return broken(
        counts,
        ['beside'],
        told,
        runs.map((run) => sawRun(run, zeroMs)),
      )
    }
    const calm = beside <= Math.max(HELD_MS, HELD_TIMES * before)
    if (!calm || counts.controls < 20 || counts.controls < runs.length) return inconclusive(counts, ['beside'], told)
    return held(counts, ['beside'], told)
  },
}
