// Error rates of the verdict by simulation: the published table, its known weaknesses, and the verdict as shipped. All cores,
// fixed run seeds; a figure's spread is its standard error. Refuses to call a difference within two standard errors a difference.

import { availableParallelism } from 'node:os'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import type { Bench, Figure } from './figures.ts'
import { type Cell, outcomeOf, published, shipped, weaknesses } from './verdict-cells.ts'

const RUNS = Number(process.env.RUNS ?? 1000)
/** The verdict as shipped simulates what it could have seen, at each look that passes: dear. */
const RUNS_WHOLE = Math.min(RUNS, 300)
const FIRST_RUN_SEED = 50_000

/** One group of cells alone; all where it is left out. */
const GROUP = process.env.GROUP ?? ''
const groups: Readonly<Record<string, readonly Cell[]>> = { published, weaknesses, shipped }
const cells: readonly Cell[] = Object.entries(groups).flatMap(([name, list]) =>
  GROUP === '' || GROUP === name ? list : [],
)

interface Slice {
  cell: number
  from: number
  to: number
}

if (!isMainThread && workerData?.slice) {
  const { cell: at, from, to }: Slice = workerData.slice
  const cell = cells[at]
  let counted = 0
  for (let run = from; run < to && cell; run++) if (outcomeOf(cell, FIRST_RUN_SEED + run) === cell.counts) counted++
  parentPort?.postMessage(counted)
}

async function count(slice: Slice): Promise<number> {
  const worker = new Worker(new URL(import.meta.url), { workerData: { slice } })
  return await new Promise((resolve, reject) => {
    worker.once('message', resolve)
    worker.once('error', reject)
  })
}

async function shareOf(cell: number, runs: number): Promise<number> {
  const lanes = Math.min(runs, availableParallelism())
  const slices = Array.from({ length: lanes }, (_, i) => {
    return { cell, from: Math.floor((i * runs) / lanes), to: Math.floor(((i + 1) * runs) / lanes) }
  })
  const counts = await Promise.all(slices.map(count))
  return counts.reduce((sum, n) => sum + n, 0) / runs
}

export const verdictBench: Bench = {
  name: 'verdict',
  what: 'error rates of the verdict by simulation, beside the published ones',
  async run(say) {
    const figures: Figure[] = []
    for (const [at, { name, counts, published: peer, whole }] of cells.entries()) {
      const runs = whole ? RUNS_WHOLE : RUNS
      const share = await shareOf(at, runs)
      const error = Math.sqrt(Math.max(share * (1 - share), 1 / runs) / runs)
      const figure = {
        name,
        unit: `% ${counts}`,
        ours: 100 * share,
        peer,
        ratio: null,
        rounds: runs,
        spread: `± ${(100 * error).toFixed(2)}`,
      }
      figures.push(figure)
      say(
        `${name}: ${figure.ours.toFixed(2)} % ${counts} ${figure.spread}${peer === null ? '' : `, published ${peer} %`}`,
      )
    }
    return figures
  },
}
