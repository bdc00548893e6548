// Cells of the table of error rates: a machine, an effect, a limit, and what share of the simulated runs was published to end
// how. Pure; simulated in threads by verdict.ts.

import type { Outcome } from '../../harness/evidence/verdict.ts'
import type { JudgeInput } from '../../harness/verdict/types.ts'
import { blocksOf, calm, type Effect, type Machine, namesOf, nothing, rough } from '../verdict/machines.ts'
import { simulateInput } from '../verdict/simulate.ts'

export interface Cell {
  name: string
  machine: Machine
  effect: Effect
  limit: number
  /** Arrivals a second and tenant. */
  rate: number
  floorMs: number
  /** The ends that are told, in percent as published; null where nothing was. */
  ends: Partial<Record<Outcome, number | null>>
}

const PAIRS = 25
const TENANTS = 4

/** All 25 pairs of the run with this run seed; objectives other than interference are out of the way. */
export function inputOf({ machine, effect, rate, limit, floorMs }: Cell, runSeed: number): JudgeInput {
  const blocks = blocksOf({ machine, effect, runSeed, pairs: PAIRS, tenants: TENANTS, rate })
  const objectives = { p99Ms: 10_000, successRatio: 0.9, interferenceRatio: limit, interferenceFloorMs: floorMs }
  return simulateInput(
    { runSeed, pairs: 0 },
    { blocks, objectives, quietTenants: namesOf(TENANTS), pairsPlanned: PAIRS },
  )
}

const round = (value: number) => Number(value.toPrecision(4))

export const one = (ratio: number, top = 1, blocks = 1): Effect => {
  const share = `${top < 1 ? `, slowest ${round(100 * top)} %` : ''}${blocks < 1 ? `, in ${100 * blocks} % of blocks` : ''}`
  return { name: `one ×${round(ratio)}${share}`, ratio, whom: 'one', top, blocks }
}
export const all = (ratio: number): Effect => ({ name: `all ×${round(ratio)}`, ratio, whom: 'all', top: 1, blocks: 1 })

export function cell(
  machine: Machine,
  limit: number,
  effect: Effect,
  ends: Cell['ends'],
  more: { floorMs?: number; rate?: number } = {},
): Cell {
  const { floorMs = 0, rate = 100 } = more
  const also = `${floorMs > 0 ? `, floor ${floorMs} ms` : ''}${rate === 100 ? '' : `, ${rate}/s`}`
  const name = `${machine.name}, ${machine.tail}, ℓ ${limit}${also}: ${effect.name}`
  return { name, machine, effect, limit, rate, floorMs, ends }
}

const machines: readonly Machine[] = [rough, { ...rough, tail: 'heavy' }, calm, { ...calm, tail: 'heavy' }]

/** Rows as published, in percent: false fail without and at 0.8 ℓ; false pass of one tenant at 1.3 ℓ, of its top 2 %; undecided
 * without an effect at limits of 1.25, 1.5 and 2; undecided at twice the limit. */
const table: ReadonlyArray<readonly [number, number, number, number, number, number, number, number]> = [
  [0.5, 0.6, 1.0, 1.5, 45, 21, 6, 0],
  [0.6, 0.8, 1.3, 1.1, 59, 27, 5, 1.3],
  [0.6, 0.4, 1.8, 3.9, 7, 0, 0, 0],
  [0.5, 0.6, 2.1, 3.5, 24, 2, 0, 1.2],
]

/** As published, at a limit of 1.5. At 1.25 a pass is now evidence against 1.25 itself, and was against 1.3 times it. */
export const published: readonly Cell[] = machines.flatMap((machine, at): Cell[] => {
  const row = table[at] ?? [0, 0, 0, 0, 0, 0, 0, 0]
  return [
    cell(machine, 1.5, nothing, { fail: row[0], inconclusive: row[5] }),
    cell(machine, 1.5, all(1.2), { fail: row[1] }),
    cell(machine, 1.5, one(1.95), { pass: row[2] }),
    cell(machine, 1.5, one(1.95, 0.02), { pass: row[3] }),
    cell(machine, 1.25, nothing, { inconclusive: row[4] }),
    cell(machine, 2, nothing, { fail: null, inconclusive: row[6] }),
    cell(machine, 1.5, one(3), { inconclusive: row[7] }),
  ]
})

/** What is known to go wrong; of a published range its middle. */
export const weaknesses: readonly Cell[] = [rough, calm].flatMap((machine) => [
  cell(machine, 1.5, one(1.95, 0.0125), { pass: 7.5 }),
  cell(machine, 1.5, one(3, 0.0125), { pass: null }),
  // Three in a hundred of the blocks that are hit make one in a hundred of all: ×3.1 there is 1.3 ℓ over all.
  cell(machine, 1.5, one(3.1, 1, 0.3), { pass: 13.5 }),
  cell(machine, 1.5, one(1.95), { pass: 4 }, { floorMs: 5 }),
  cell(machine, 1.5, one(3, 0.02), { inconclusive: 40 }),
])

/** For the verdict as shipped: the default limit, what a user would plant, and the tight limit. */
export const shipped: readonly Cell[] = [calm, rough].flatMap((machine) => [
  cell(machine, 2, nothing, { fail: null, inconclusive: null }),
  cell(machine, 2, all(1.6), { fail: null }),
  cell(machine, 2, one(2.6), { pass: null }),
  cell(machine, 2, one(2.6, 0.02), { pass: null }),
  cell(machine, 2, one(3), { pass: null, fail: null }),
  cell(machine, 2, one(4), { pass: null, fail: null }),
  cell(machine, 1.25, one(1.3), { pass: null, fail: null }),
])

/** Where challengers are tried: every column of the table and every weakness, on a calm and a rough machine. */
export const contested: readonly Cell[] = [...weaknesses, ...published].filter(
  ({ machine, limit, floorMs }) => machine.tail === 'lognormal' && limit === 1.5 && floorMs === 0,
)
