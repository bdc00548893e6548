// How much evidence each look must bring, so that looking after every pair does not add up to false verdicts.
// Evidence is modelled as a Brownian motion seen at t = k/n; levels follow by recursion over its density. Pure.

import { normalUpperTail } from './distributions.ts'

/** First look: with fewer pairs no level can be reached anyway. */
export const FIRST_LOOK = 3
/** Chance of a false pass over all looks, one-sided, per tenant. */
const PASS_ERROR = 0.035
/** Chance of a false fail over all looks, one-sided, for each of the two fail procedures, over all tenants. */
const FAIL_ERROR = 0.004

/** One-sided levels, indexed by the pair number k; zero (unreachable) for k < 3. */
export interface Levels {
  /** a: exceedances, to pass. */
  pass: Float64Array
  /** b: exceedances, to fail one tenant. */
  failExceedance: Float64Array
  /** c: block tails, to fail one tenant. */
  failTail: Float64Array
}

const known = new Map<string, Levels>()

/**
 * @param pairs planned pairs n, at least 3
 * @param tenants number of quiet tenants Q, at least 1; fail levels are divided by it (Bonferroni)
 */
export function levelsFor(pairs: number, tenants: number): Levels {
  if (!Number.isInteger(pairs) || pairs < FIRST_LOOK) throw new Error(`levels want 3 or more whole pairs, not ${pairs}`)
  if (!Number.isInteger(tenants) || tenants < 1) throw new Error(`levels want 1 or more tenants, not ${tenants}`)
  const key = `${pairs}/${tenants}`
  const cached = known.get(key)
  if (cached !== undefined) return cached
  const levels = {
    pass: obrienFleming(pairs, PASS_ERROR),
    failExceedance: obrienFleming(pairs, FAIL_ERROR / tenants),
    failTail: spending(pairs, FAIL_ERROR / tenants),
  }
  known.set(key, levels)
  return levels
}

/** Steps of the grid per standard deviation of one pair's increment. */
const STEPS = 8
/** Paths below this never come back to a boundary (in standard deviations of the whole motion). */
const BOTTOM = -5
/** The kernel is cut at this many standard deviations. */
const REACH = 7
/**
 * Gregory's end correction of the trapezoid rule, fourth order; the lower end needs none, the density is 0 there.
 * A plain rectangle rule counts the point on the boundary in full and so gives levels that are 2 to 14 % too low.
 */
const GREGORY = [3 / 8, 7 / 6, 23 / 24]

/** Paths that have not crossed yet: density at boundary − j·step for j = 0, 1, … */
interface Survivors {
  boundary: number
  step: number
  density: Float64Array
}

function gridSize(boundary: number, step: number): number {
  return Math.ceil((boundary - BOTTOM) / step) + 1
}

function firstSurvivors(pairs: number, boundary: number): Survivors {
  const sd = Math.sqrt(FIRST_LOOK / pairs)
  const step = 1 / Math.sqrt(pairs) / STEPS
  const density = new Float64Array(gridSize(boundary, step))
  for (let j = 0; j < density.length; j++) density[j] = gauss((boundary - j * step) / sd) / sd
  return { boundary, step, density }
}

function gauss(z: number): number {
  return Math.exp(-0.5 * z * z) / Math.sqrt(2 * Math.PI)
}

function weighted(from: Survivors): Float64Array {
  const mass = new Float64Array(from.density.length)
  for (let j = 0; j < mass.length; j++) mass[j] = (from.density[j] ?? 0) * from.step * (GREGORY[j] ?? 1)
  return mass
}

/** P(the next increment takes a survivor to `boundary` or above). */
function crossing(from: Survivors, boundary: number): number {
  const sd = from.step * STEPS
  const mass = weighted(from)
  let sum = 0
  for (let j = 0; j < mass.length; j++) {
    const z = (boundary - from.boundary + j * from.step) / sd
    if (z > 9) break
    sum += (mass[j] ?? 0) * normalUpperTail(z)
  }
  return sum
}

/** The survivors one pair later. Both grids hang from their boundary, so one kernel serves every point. */
function advance(from: Survivors, boundary: number): Survivors {
  const { step } = from
  const sd = step * STEPS
  const mass = weighted(from)
  const density = new Float64Array(gridSize(boundary, step))
  const shift = (boundary - from.boundary) / step
  const lowest = Math.ceil(-REACH * STEPS - shift)
  const highest = Math.floor(REACH * STEPS - shift)
  const kernel = new Float64Array(highest - lowest + 1)
  for (let q = 0; q < kernel.length; q++) kernel[q] = gauss((shift + lowest + q) / STEPS) / sd
  for (let i = 0; i < density.length; i++) {
    const from0 = Math.max(0, i + lowest)
    const to = Math.min(mass.length - 1, i + highest)
    let sum = 0
    for (let j = from0; j <= to; j++) sum += (mass[j] ?? 0) * (kernel[j - i - lowest] ?? 0)
    density[i] = sum
  }
  return { boundary, step, density }
}

/** P(the motion is at or above a constant boundary at any look). */
function crossingConstant(pairs: number, boundary: number): number {
  let total = normalUpperTail(boundary / Math.sqrt(FIRST_LOOK / pairs))
  let survivors = firstSurvivors(pairs, boundary)
  for (let k = FIRST_LOOK + 1; k <= pairs; k++) {
    total += crossing(survivors, boundary)
    if (k < pairs) survivors = advance(survivors, boundary)
  }
  return total
}

/** O'Brien and Fleming: one constant boundary C for the motion itself, so the level at t is P(Z ≥ C/√t). */
function obrienFleming(pairs: number, error: number): Float64Array {
  const boundary = solve((c) => crossingConstant(pairs, c), error, normalQuantile(error))
  const levels = new Float64Array(pairs + 1)
  for (let k = FIRST_LOOK; k <= pairs; k++) levels[k] = normalUpperTail(boundary / Math.sqrt(k / pairs))
  return levels
}

/** Lan and DeMets: by time t the share t² of the error has been spent; each look's boundary spends what is due. */
function spending(pairs: number, error: number): Float64Array {
  const spentBy = (k: number) => error * (k / pairs) ** 2
  const levels = new Float64Array(pairs + 1)
  levels[FIRST_LOOK] = spentBy(FIRST_LOOK)
  const first = normalQuantile(spentBy(FIRST_LOOK)) * Math.sqrt(FIRST_LOOK / pairs)
  let survivors = firstSurvivors(pairs, first)
  for (let k = FIRST_LOOK + 1; k <= pairs; k++) {
    const before = survivors
    const due = spentBy(k) - spentBy(k - 1)
    const boundary = solve((b) => crossing(before, b), due, before.boundary)
    levels[k] = normalUpperTail(boundary / Math.sqrt(k / pairs))
    if (k < pairs) survivors = advance(before, boundary)
  }
  return levels
}

/** z with P(Z ≥ z) = p. */
function normalQuantile(p: number): number {
  return solve(normalUpperTail, p, 2)
}

/** The x where a falling tail probability equals `wanted`: secant steps on its logarithm, from a guess. */
function solve(tail: (x: number) => number, wanted: number, guess: number): number {
  const miss = (x: number) => Math.log(tail(x) / wanted)
  let x0 = guess
  let y0 = miss(x0)
  let x1 = guess + 0.05
  for (let turn = 0; turn < 60; turn++) {
    const y1 = miss(x1)
    if (Math.abs(y1) < 1e-9 || y1 === y0) return x1
    // A logarithm of a tail is concave, so steps stay sound; the clamp only keeps the first ones on the grid.
    const next = x1 - Math.max(-0.5, Math.min(0.5, (y1 * (x1 - x0)) / (y1 - y0)))
    x0 = x1
    y0 = y1
    x1 = next
  }
  throw new Error(`no boundary found for a tail of ${wanted}`)
}
