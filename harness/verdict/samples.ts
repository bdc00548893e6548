// From recorded blocks to response times in milliseconds, largest first, with "never" as Infinity. Judges nothing.

import type { Arm, Block, TenantWindow } from '../evidence/types.ts'

/** Response times of one tenant in one or more blocks, milliseconds, descending; failed and unfinished are Infinity. */
export type Descending = Float64Array

/** The smallest response time told apart from zero, milliseconds: one unit of the recording. */
export const SMALLEST_MS = 0.001

export function windowOf(block: Block, tenant: string): TenantWindow | undefined {
  return block.tenants.find((window) => window.tenant === tenant)
}

export function descendingMs(windows: readonly TenantWindow[]): Descending {
  let count = 0
  for (const window of windows) {
    count += window.failed + window.unfinished
    for (const [, times] of window.responseUs) count += times
  }
  const values = new Float64Array(count)
  let at = 0
  for (const window of windows) {
    const never = window.failed + window.unfinished
    values.fill(Number.POSITIVE_INFINITY, at, at + never)
    at += never
    for (const [us, times] of window.responseUs) {
      values.fill(us / 1000, at, at + times)
      at += times
    }
  }
  // One window is ascending already, its infinite ones aside: what is in order need not be sorted.
  const [first] = windows
  const never = first ? first.failed + first.unfinished : 0
  if (windows.length === 1 && isAscending(values.subarray(never))) {
    values.subarray(never).reverse()
    return values
  }
  return values.sort().reverse()
}

function isAscending(values: Float64Array): boolean {
  for (let i = 1; i < values.length; i++) if ((values[i - 1] ?? 0) > (values[i] ?? 0)) return false
  return true
}

/** Everything one tenant saw in one arm, whether or not the pair became complete. */
export function armMs(blocks: readonly Block[], arm: Arm, tenant: string): Descending {
  return descendingMs(armWindows(blocks, arm, tenant))
}

export function armWindows(blocks: readonly Block[], arm: Arm, tenant: string): TenantWindow[] {
  return blocks.filter((block) => block.arm === arm).flatMap((block) => windowOf(block, tenant) ?? [])
}

export interface Pair {
  pair: number
  off: Block
  on: Block
}

/** Pairs of which both blocks exist, in the order they were numbered, at most as many as were planned. */
export function completePairs(blocks: readonly Block[], planned: number): Pair[] {
  const off = new Map<number, Block>()
  const on = new Map<number, Block>()
  for (const block of blocks) {
    if (block.pair === null) continue
    if (block.arm === 'placebo') off.set(block.pair, block)
    if (block.arm === 'noise') on.set(block.pair, block)
  }
  const pairs: Pair[] = []
  for (const [pair, block] of off) {
    const partner = on.get(pair)
    if (partner !== undefined) pairs.push({ pair, off: block, on: partner })
  }
  return pairs.sort((a, b) => a.pair - b.pair).slice(0, planned)
}

/** One tenant's samples in one pair. */
export interface PairSamples {
  off: Descending
  on: Descending
}

export function pairSamples(pair: Pair, tenant: string): PairSamples {
  const of = (block: Block) => {
    const window = windowOf(block, tenant)
    return descendingMs(window === undefined ? [] : [window])
  }
  return { off: of(pair.off), on: of(pair.on) }
}

/** The value of rank `rank` (1 = largest) in the union of descending lists; NaN when there are fewer values. */
export function rankFromTop(lists: readonly Descending[], rank: number): number {
  if (lists.length === 1) return lists[0]?.[rank - 1] ?? Number.NaN
  const heads = new Int32Array(lists.length)
  let value = Number.NaN
  for (let taken = 0; taken < rank; taken++) {
    let best = -1
    let most = Number.NEGATIVE_INFINITY
    for (let l = 0; l < lists.length; l++) {
      const head = lists[l]?.[heads[l] ?? 0]
      if (head !== undefined && (best < 0 || head > most)) {
        best = l
        most = head
      }
    }
    if (best < 0) return Number.NaN
    heads[best] = (heads[best] ?? 0) + 1
    value = most
  }
  return value
}

/** Nearest-rank quantile `permille`/1000 of a descending list, e.g. 990 for p99; null without samples. */
export function quantileMs(values: Descending, permille: number): number | null {
  const fromTop = Math.floor((values.length * (1000 - permille)) / 1000)
  return values[Math.min(fromTop, values.length - 1)] ?? null
}
