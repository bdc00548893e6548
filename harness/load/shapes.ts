// Shapes of arrivals: when one tenant's operations are due, as sequences without an end, drawn as far as a run goes.
// Pure and seeded; refuses to know of clocks and of other tenants.

import type { Shape } from '../evidence/run.ts'
import type { Random } from './random.ts'

/** What a tenant's arrivals are like. A quiet tenant of a run's evidence is one: its schedule can be drawn again from there. */
export interface Load {
  /** Arrivals a second, above 0; for a ramp, where it begins. */
  ratePerSecond: number
  shape: Shape
}

/** The highest rate that a load comes to, arrivals a second. A burst counts with its mean. */
export function peakPerSecond({ ratePerSecond, shape }: Load): number {
  return typeof shape === 'object' && 'ramp' in shape ? Math.max(ratePerSecond, shape.ramp.toPerSecond) : ratePerSecond
}

/**
 * Intended starts, whole microseconds from 0, ascending, without end.
 * @param phase 0..1, how far into its first gap a regular shape begins
 */
export function startsOf({ ratePerSecond, shape }: Load, phase: number, random: Random): Iterable<number> {
  if (shape === 'poisson') return poisson(ratePerSecond, random)
  if (shape === 'uniform') return bursts(1, 1e6 / ratePerSecond, phase)
  if ('burst' in shape) return bursts(shape.burst.size, (shape.burst.size / ratePerSecond) * 1e6, phase)
  return ramp(ratePerSecond, shape.ramp.toPerSecond, shape.ramp.overMs / 1000, random)
}

/** Distance between two events of a Poisson process of rate 1: -ln(1-u), by inverse transform. */
const unitGap = (random: Random) => -Math.log(1 - random())

function* poisson(ratePerSecond: number, random: Random): Generator<number> {
  for (let at = 0; ; ) {
    at += (unitGap(random) / ratePerSecond) * 1e6
    yield Math.floor(at)
  }
}

/** `size` arrivals at each of phase, phase+1, phase+2 … gaps; multiplied, not summed up, so that no rounding adds up. */
function* bursts(size: number, everyUs: number, phase: number): Generator<number> {
  for (let n = 0; ; n++) {
    const at = Math.floor((n + phase) * everyUs)
    for (let i = 0; i < size; i++) yield at
  }
}

/**
 * A Poisson process of changing rate, by inversion of the cumulative rate: if s1 < s2 < … are events of a process of rate
 * 1, then t with L(t) = s are events of the rate r, where L(t) is the integral of r from 0 to t.
 *
 * For t ≤ T:  r(t) = f + (g-f) t/T,  L(t) = f t + (g-f) t²/(2T).  L(t) = s is a quadratic equation; its root from 0 on,
 * written so that g = f needs no case of its own and nothing cancels:  t = 2 s / (f + sqrt(f² + 2 (g-f) s/T)).
 * For t > T:  r = g, so  t = T + (s - L(T))/g  with  L(T) = (f+g) T/2.
 */
function* ramp(from: number, to: number, overS: number, random: Random): Generator<number> {
  const whole = ((from + to) / 2) * overS
  for (let s = 0; ; ) {
    s += unitGap(random)
    const t =
      s < whole
        ? (2 * s) / (from + Math.sqrt(Math.max(0, from * from + (2 * (to - from) * s) / overS)))
        : overS + (s - whole) / to
    yield Math.floor(t * 1e6)
  }
}
