// The recording of a whole run without the run: operations as the default gate has them, pair by pair through the recorder
// and read back. For what the recording costs; measures nothing itself.

import type { Operation } from '../../harness/load/ledger.ts'
import { randomFor } from '../../harness/load/random.ts'
import { scheduleTenants } from '../../harness/load/schedule.ts'
import type { Counts } from '../../harness/recording/counts.ts'
import { readLog } from '../../harness/recording/interval-log.ts'
import { record, type Window } from '../../harness/run/recorder.ts'
import { plans } from '../../harness/run/stand.ts'
import { loadScenario } from '../../harness/scenario/load.ts'
import { normal } from '../verdict/simulate.ts'

const found = loadScenario('noisy-neighbour')
if (found.kind === 'acts') throw new Error('the default scenario is a flood')
export const gate = found
const { pairs: PAIRS, lengthMs, settleMs } = gate.blocks
const { quiet, loads } = plans(gate, '')
export const labels = quiet.map(({ label }) => label)

/** Drains and collections after each block; their operations are kept too, and counted to no arm. */
const BETWEEN_MS = 150
const PAIR_US = 2 * (lengthMs + BETWEEN_MS) * 1000

/** Response times of a few milliseconds, lognormal, and one in 2,000 that takes 10 s. Microseconds. */
export function responses(runSeed: number, count: number): number[] {
  const random = randomFor(runSeed, 'response times')
  return Array.from({ length: count }, () => {
    return random() < 1 / 2000 ? 10e6 : Math.round(5000 * Math.exp(0.5 * normal(random)))
  })
}

/** All operations of all pairs, a list for each pair. */
function operationsOf(runSeed: number): Operation[][] {
  const random = randomFor(runSeed, 'send lateness')
  const byPair: Operation[][] = Array.from({ length: PAIRS }, () => [])
  const times = responses(runSeed, 1000)
  let seq = 0
  for (const { tenant, intendedUs } of scheduleTenants(runSeed, loads)) {
    if (intendedUs >= PAIRS * PAIR_US) break
    const handedUs = intendedUs + random() * 1200
    const endUs = intendedUs + 1200 + (times[Math.floor(random() * times.length)] ?? 0) * (0.5 + random())
    byPair[Math.floor(intendedUs / PAIR_US)]?.push({ tenant, seq: seq++, intendedUs, handedUs, endUs, outcome: 'ok' })
  }
  return byPair
}

function windowsOf(pair: number): Window[] {
  return (['placebo', 'noise'] as const).map((arm, i) => {
    const startUs = pair * PAIR_US + i * (lengthMs + BETWEEN_MS) * 1000
    return {
      index: 2 * pair + i,
      arm,
      pair: pair + 1,
      startUs,
      settleUs: settleMs * 1000,
      endUs: startUs + lengthMs * 1000,
    }
  })
}

export interface Played {
  /** What a run keeps in memory, by tag. */
  intervals: Map<string, Counts>
  operations: number
  lines: number
}

export function played(runSeed: number): Played {
  const intervals = new Map<string, Counts>()
  let [operations, lines] = [0, 0]
  for (const [pair, own] of operationsOf(runSeed).entries()) {
    const { log } = record(labels, own, windowsOf(pair), pair * PAIR_US, (pair + 1) * PAIR_US)
    readLog(log, intervals)
    operations += own.length
    lines += log.split('\n').length - 1
  }
  return { intervals, operations, lines }
}
