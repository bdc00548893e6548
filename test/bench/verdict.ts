// Error rates of the verdict by simulation: the published table, its known weaknesses, the verdict as shipped, and challengers
// on the same runs. All cores, fixed run seeds; a figure's spread is its standard error. Refuses to call a difference within
// two standard errors a difference.

import { availableParallelism } from 'node:os'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import type { Outcome } from '../../harness/evidence/verdict.ts'
import type { Bench, Figure } from './figures.ts'
import { type Cell, contested, inputOf, published, shipped, weaknesses } from './verdict-cells.ts'
import { asShipped, challengers, type Procedure, procedure } from './verdict-procedures.ts'

const RUNS = Number(process.env.RUNS ?? 1000)
/** One group alone; all where it is left out. */
const GROUP = process.env.GROUP ?? ''
const FIRST_RUN_SEED = 50_000

interface Group {
  cells: readonly Cell[]
  procedures: readonly Procedure[]
  /** Of `RUNS`, for what is dear. */
  share: number
}

const groups: Readonly<Record<string, Group>> = {
  published: { cells: published, procedures: [procedure], share: 1 },
  weaknesses: { cells: weaknesses, procedures: [procedure], share: 1 },
  shipped: { cells: shipped, procedures: [asShipped], share: 0.2 },
  challengers: { cells: contested, procedures: challengers, share: 0.3 },
}

interface Slice {
  group: string
  cell: number
  from: number
  to: number
}

/** Ends by procedure. */
type Counts = Array<Record<Outcome, number>>

const none = ({ procedures }: Group): Counts => procedures.map(() => ({ pass: 0, fail: 0, inconclusive: 0 }))

function simulated({ group: name, cell: at, from, to }: Slice): Counts {
  const group = groups[name]
  const cell = group?.cells[at]
  if (!group || !cell) throw new Error(`no cell ${at} in the group ${name}`)
  const counts = none(group)
  for (let run = from; run < to; run++) {
    const input = inputOf(cell, FIRST_RUN_SEED + run)
    for (const [i, { outcome }] of group.procedures.entries()) {
      const count = counts[i]
      if (count) count[outcome(input)]++
    }
  }
  return counts
}

if (!isMainThread && workerData?.slice) parentPort?.postMessage(simulated(workerData.slice))

async function inThread(slice: Slice): Promise<Counts> {
  const worker = new Worker(new URL(import.meta.url), { workerData: { slice } })
  return await new Promise((resolve, reject) => {
    worker.once('message', resolve)
    worker.once('error', reject)
  })
}

async function countsOf(name: string, group: Group, cell: number, runs: number): Promise<Counts> {
  const lanes = Math.min(runs, availableParallelism())
  const slices = Array.from({ length: lanes }, (_, i): Slice => {
    return { group: name, cell, from: Math.floor((i * runs) / lanes), to: Math.floor(((i + 1) * runs) / lanes) }
  })
  const sum = none(group)
  for (const counts of await Promise.all(slices.map(inThread))) {
    for (const [i, count] of counts.entries()) {
      const total = sum[i]
      if (total) for (const end of ['pass', 'fail', 'inconclusive'] as const) total[end] += count[end]
    }
  }
  return sum
}

function figuresOf(name: string, cell: Cell, counts: Record<Outcome, number>, runs: number): Figure[] {
  return (Object.entries(cell.ends) as Array<[Outcome, number | null]>).map(([end, peer]) => {
    const share = counts[end] / runs
    const error = Math.sqrt(Math.max(share * (1 - share), 1 / runs) / runs)
    const spread = `± ${(100 * error).toFixed(2)}`
    return { name, unit: `% ${end}`, ours: 100 * share, peer, ratio: null, rounds: runs, spread }
  })
}

export const verdictBench: Bench = {
  name: 'verdict',
  what: 'error rates of the verdict by simulation, beside the published ones',
  async run(say) {
    const figures: Figure[] = []
    for (const [name, group] of Object.entries(groups)) {
      if (GROUP !== '' && GROUP !== name) continue
      const runs = Math.max(1, Math.round(RUNS * group.share))
      for (const [at, cell] of group.cells.entries()) {
        const counts = await countsOf(name, group, at, runs)
        const found = group.procedures.flatMap((procedure, i) => {
          const title = `${procedure.name}: ${cell.name}`
          return figuresOf(title, cell, counts[i] ?? { pass: 0, fail: 0, inconclusive: 0 }, runs)
        })
        figures.push(...found)
        for (const { name, unit, ours, peer, spread } of found) {
          say(
            `${name}: ${ours.toFixed(2)} ${unit} ${spread}${peer === null ? '' : `, published ${peer} %`} (n=${runs})`,
          )
        }
      }
    }
    return figures
  },
}
