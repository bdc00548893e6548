// Cells of the table of error rates: a machine, an effect, a limit, and what share of simulated runs should end how. Pure; run in
// threads by verdict.ts.

import { looks } from '../../harness/verdict/interference.ts'
import { judge } from '../../harness/verdict/judge.ts'
import { FIRST_LOOK } from '../../harness/verdict/levels.ts'
import { blocksOf, calm, type Effect, type Machine, namesOf, nothing, rough } from '../verdict/machines.ts'
import { simulateInput } from '../verdict/simulate.ts'

export interface Cell {
  name: string
  machine: Machine
  effect: Effect
  limit: number
  rate: number
  floorMs: number
  /** Which end is counted. */
  counts: 'fail' | 'pass' | 'inconclusive'
  /** Percent, as published; null where nothing was. */
  published: number | null
  /** The whole verdict, with its rule about blind runs, objectives and all; else the procedure alone. */
  whole: boolean
}

const PAIRS = 25
const TENANTS = 4

/** A cell's outcome of the run with this run seed. */
export function outcomeOf(cell: Cell, runSeed: number): 'pass' | 'fail' | 'inconclusive' {
  const { machine, effect, rate, limit, floorMs } = cell
  const blocks = blocksOf({ machine, effect, runSeed, pairs: PAIRS, tenants: TENANTS, rate })
  const objectives = { p99Ms: 10_000, successRatio: 0.9, interferenceRatio: limit, interferenceFloorMs: floorMs }
  const input = simulateInput(
    { runSeed, pairs: 3 },
    { blocks, objectives, quietTenants: namesOf(TENANTS), pairsPlanned: PAIRS },
  )
  if (cell.whole) return judge(input).outcome
  for (const { outcome } of looks(input, FIRST_LOOK, PAIRS)) if (outcome !== 'inconclusive') return outcome
  return 'inconclusive'
}

const one = (ratio: number, top = 1, blocks = 1): Effect => {
  return { name: `one tenant ×${ratio}, slowest ${100 * top} %`, ratio, whom: 'one', top, blocks }
}
const all = (ratio: number): Effect => ({ name: `all tenants ×${ratio}`, ratio, whom: 'all', top: 1, blocks: 1 })

const machines: Machine[] = [rough, { ...rough, tail: 'heavy' }, calm, { ...calm, tail: 'heavy' }]

/** Rows as published, in percent: false fail without and at 0.8 ℓ; false pass of one tenant at 1.3 ℓ, of its top 2 %; undecided
 * without an effect at limits of 1.25, 1.5 and 2; undecided at twice the limit. */
const table: ReadonlyArray<readonly [number, number, number, number, number, number, number, number]> = [
  [0.5, 0.6, 1.0, 1.5, 45, 21, 6, 0],
  [0.6, 0.8, 1.3, 1.1, 59, 27, 5, 1.3],
  [0.6, 0.4, 1.8, 3.9, 7, 0, 0, 0],
  [0.5, 0.6, 2.1, 3.5, 24, 2, 0, 1.2],
]

function cellsOf(machine: Machine, row: (typeof table)[number]): Cell[] {
  const limit = 1.5
  const cell = (counts: Cell['counts'], effect: Effect, published: number, at = limit): Cell => {
    return {
      name: `${machine.name}, ${machine.tail}, limit ${at}: ${effect.name}`,
      machine,
      effect,
      limit: at,
      rate: 100,
      floorMs: 0,
      counts,
      published,
      whole: false,
    }
  }
  return [
    cell('fail', nothing, row[0]),
    cell('fail', all(0.8 * limit), row[1]),
    cell('pass', one(1.3 * limit), row[2]),
    cell('pass', one(1.3 * limit, 0.02), row[3]),
    cell('inconclusive', nothing, row[4], 1.25),
    cell('inconclusive', nothing, row[5]),
    cell('inconclusive', nothing, row[6], 2),
    cell('inconclusive', one(2 * limit), row[7]),
  ]
}

export const published: Cell[] = machines.flatMap((machine, at) =>
  cellsOf(machine, table[at] ?? [0, 0, 0, 0, 0, 0, 0, 0]),
)

const base = { machine: calm, limit: 1.5, rate: 100, floorMs: 0, whole: false } as const

/** What is known to go wrong, with the middle of the published range. */
export const weaknesses: Cell[] = [
  {
    ...base,
    name: 'weakness: one tenant’s slowest 1.25 % at 1.3 ℓ',
    effect: one(1.95, 0.0125),
    counts: 'pass',
    published: 7.5,
  },
  {
    ...base,
    name: 'weakness: 30 % of the noise blocks at 10 ℓ',
    effect: one(15, 1, 0.3),
    counts: 'pass',
    published: 13.5,
  },
  {
    ...base,
    name: 'weakness: a floor of 5 ms, one tenant at 1.3 of it',
    effect: one(1.95),
    floorMs: 5,
    counts: 'pass',
    published: 4,
  },
  {
    ...base,
    name: 'weakness: twofold limit in one tenant’s slowest 2 %',
    effect: one(3, 0.02),
    counts: 'inconclusive',
    published: 40,
  },
]

/** The verdict as shipped, at the default limit of 2. */
export const shipped: Cell[] = [rough, calm].flatMap((machine): Cell[] => {
  const cell = (counts: Cell['counts'], effect: Effect): Cell => {
    return {
      ...base,
      machine,
      limit: 2,
      whole: true,
      name: `as shipped, ${machine.name}: ${effect.name}`,
      effect,
      counts,
      published: null,
    }
  }
  return [
    cell('fail', nothing),
    cell('inconclusive', nothing),
    cell('fail', all(1.6)),
    cell('pass', one(2.6)),
    cell('pass', one(2.6, 0.02)),
  ]
})
