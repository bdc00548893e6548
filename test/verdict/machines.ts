// Machines and effects for simulated runs with a known truth: how response times are distributed, what disturbs all tenants
// at once, and what noise does to whom. The procedure was published without the parameters of its machines: the ones here were
// fitted to its shares of undecided runs with no effect, so its error rates are a prediction, and not a fit.

import type { Arm, Block, TenantWindow } from '../../harness/evidence/types.ts'
import { type Random, randomFor } from '../../harness/load/random.ts'
import { normal } from './simulate.ts'

export interface Machine {
  name: string
  tail: 'lognormal' | 'heavy'
  /** Stalls that hit every tenant: how many a second, and their length in ms, exponential beyond the least. */
  stalls: { perSecond: number; leastMs: number; meanMs: number } | null
  /** Standard deviation of a block's common factor, and its correlation with the block before; both on the logarithm. */
  blocks: { sd: number; correlation: number }
}

export interface Effect {
  name: string
  /** True ratio of p99s under noise, for the tenants that are hit. */
  ratio: number
  whom: 'all' | 'one'
  /** Only the slowest share of the operations is slower, 0..1; 1 for all. */
  top: number
  /** Share of the noise blocks in which it happens, 0..1. */
  blocks: number
}

export const calm: Machine = {
  name: 'no stalls',
  tail: 'lognormal',
  stalls: null,
  blocks: { sd: 0.1, correlation: 0.5 },
}
export const rough: Machine = {
  ...calm,
  name: 'rough',
  stalls: { perSecond: 0.065, leastMs: 30, meanMs: 80 },
}

export const nothing: Effect = { name: 'no effect', ratio: 1, whom: 'all', top: 1, blocks: 1 }

const MEDIAN_MS = 5
const SIGMA = 0.95
/** Of the heavy tail: the slowest two in a hundred are a Pareto that begins where the body ends, at its p98. */
const HEAVY_SHARE = 0.02
const HEAVY_FROM = 2.0537489
const HEAVY_INDEX = 2.1

/** A response time in ms and its place in its own distribution, 0..1. */
function draw(machine: Machine, random: Random): { ms: number; place: number } {
  const z = normal(random)
  if (machine.tail === 'lognormal' || z < HEAVY_FROM) {
    return { ms: MEDIAN_MS * Math.exp(SIGMA * z), place: cumulativeNormal(z) }
  }
  const u = random()
  const ms = MEDIAN_MS * Math.exp(SIGMA * HEAVY_FROM) * (1 - u) ** (-1 / HEAVY_INDEX)
  return { ms, place: 1 - HEAVY_SHARE * (1 - u) }
}

/** Abramowitz and Stegun 26.2.17: within 1e-7. */
function cumulativeNormal(z: number): number {
  const t = 1 / (1 + 0.2316419 * Math.abs(z))
  const poly = t * (0.31938153 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))))
  const tail = (Math.exp(-0.5 * z * z) / Math.sqrt(2 * Math.PI)) * poly
  return z >= 0 ? 1 - tail : tail
}

export interface SimulatedRun {
  machine: Machine
  effect: Effect
  runSeed: number
  pairs: number
  tenants: number
  /** Arrivals a second and tenant. */
  rate: number
}

const WINDOW_S = 0.8

interface Stall {
  fromMs: number
  untilMs: number
}

function stallsIn(machine: Machine, random: Random): Stall[] {
  if (machine.stalls === null) return []
  const { perSecond, leastMs, meanMs } = machine.stalls
  const stalls: Stall[] = []
  for (let atS = exponential(random) / perSecond; atS < WINDOW_S; atS += exponential(random) / perSecond) {
    stalls.push({ fromMs: atS * 1000, untilMs: atS * 1000 + leastMs + meanMs * exponential(random) })
  }
  return stalls
}

const exponential = (random: Random) => -Math.log(1 - random())

/** Up to here each microsecond has a bucket of its own; above, buckets double in width each time the value does. */
const SINGLE_UP_TO = 2048

/** Microseconds as the recording's histogram gives them back: the largest value of their bucket. */
export function recorded(ms: number): number {
  const us = Math.max(0, Math.round(ms * 1000))
  if (us < SINGLE_UP_TO) return us
  // The bit's place of the value: 11 for 2048..4095, whose buckets are 2 wide.
  const width = 2 ** (31 - Math.clz32(us) - 10)
  return (Math.floor(us / width) + 1) * width - 1
}

/** What one block does to everybody. */
interface Weather {
  factor: number
  stalls: Stall[]
  slower: { by: number; top: number }
}

function windowOf(tenant: string, { machine, rate }: SimulatedRun, weather: Weather, random: Random): TenantWindow {
  const counts = new Map<number, number>()
  let offered = 0
  for (let atS = exponential(random) / rate; atS < WINDOW_S; atS += exponential(random) / rate) {
    offered++
    const { ms, place } = draw(machine, random)
    let took = ms * weather.factor * (place >= 1 - weather.slower.top ? weather.slower.by : 1)
    for (const { fromMs, untilMs } of weather.stalls) {
      const endMs = atS * 1000 + took
      // Whoever is under way when everything stands still is as much later.
      if (atS * 1000 < untilMs && endMs > fromMs) took += untilMs - Math.max(fromMs, atS * 1000)
    }
    const us = recorded(took)
    counts.set(us, (counts.get(us) ?? 0) + 1)
  }
  const responseUs = [...counts].sort((a, b) => a[0] - b[0])
  return { tenant, offered, sent: offered, ok: offered, failed: 0, unfinished: 0, responseUs }
}

export const namesOf = (tenants: number): string[] => Array.from({ length: tenants }, (_, i) => `quiet-${i + 1}`)

export function blocksOf(run: SimulatedRun): Block[] {
  const { machine, effect, runSeed, pairs, tenants } = run
  const random = randomFor(runSeed, `machine ${machine.name} ${machine.tail}`)
  const blocks: Block[] = []
  const { sd, correlation } = machine.blocks
  let level = sd * normal(random)
  for (let pair = 1; pair <= pairs; pair++) {
    const arms: Arm[] = random() < 0.5 ? ['placebo', 'noise'] : ['noise', 'placebo']
    for (const arm of arms) {
      level = correlation * level + sd * Math.sqrt(1 - correlation ** 2) * normal(random)
      const stalls = stallsIn(machine, random)
      const happens = arm === 'noise' && random() < effect.blocks
      const windows = namesOf(tenants).map((tenant, i) => {
        const hit = happens && (effect.whom === 'all' || i === 0)
        const slower = { by: hit ? effect.ratio : 1, top: effect.top }
        return windowOf(tenant, run, { factor: Math.exp(level), stalls, slower }, random)
      })
      const index = blocks.length
      blocks.push({
        index,
        arm,
        pair,
        startUs: index * 1e6,
        settleUs: 200_000,
        endUs: (index + 1) * 1e6,
        tenants: windows,
      })
    }
  }
  return blocks
}
