// What a run tells while it goes on; who shows it, and how, is the command line's affair.

import { type Counts, quantile } from '../recording/interval-log.ts'
import type { RunOptions } from './sequence.ts'

export interface Progress {
  phase: 'start' | 'warm-up' | 'silence' | 'pairs' | 'judge'
  /** Pairs done and planned; 0 before the pairs. */
  pair: number
  pairsPlanned: number
  /** Upper bound of what is left, milliseconds. */
  leftMs: number
  /** Quiet arrivals a second scheduled and completed in the windows so far; null before there are any. */
  offeredPerSecond: number | null
  achievedPerSecond: number | null
  /** Pooled quiet p99 so far, milliseconds: in the placebo blocks and in the noise blocks. */
  placeboP99Ms: number | null
  noiseP99Ms: number | null
}

/** A function that tells how far the run is. */
export function progressOf(options: RunOptions, pairsPlanned: number) {
  const { blocks } = options.scenario
  return (phase: Progress['phase'], pair: number, seen: ReadonlyMap<string, Counts> | null) => {
    const pairsLeftMs = (pairsPlanned - pair) * (2 * blocks.lengthMs + 300)
    const before = {
      start: 2000 + blocks.warmUpMs + blocks.silence * blocks.lengthMs,
      'warm-up': blocks.warmUpMs + blocks.silence * blocks.lengthMs,
      silence: blocks.silence * blocks.lengthMs,
      pairs: 0,
      judge: 0,
    }[phase]
    const leftMs = phase === 'judge' ? 0 : before + pairsLeftMs
    const sofar = seen && phase === 'pairs' ? soFar(seen) : null
    options.onProgress({ phase, pair, pairsPlanned, leftMs, ...(sofar ?? nothing) })
  }
}

const nothing = { offeredPerSecond: null, achievedPerSecond: null, placeboP99Ms: null, noiseP99Ms: null }

function soFar(intervals: ReadonlyMap<string, Counts>) {
  const p99 = (arm: string) => {
    const all = [...intervals]
      .filter(([tag]) => tag.includes(`/${arm}/`) && tag.endsWith('/response'))
      .flatMap(([, c]) => c)
    const value = quantile(
      all.sort((x, y) => x[0] - y[0]),
      0.99,
    )
    return value === null ? null : value / 1000
  }
  return { ...nothing, placeboP99Ms: p99('placebo'), noiseP99Ms: p99('noise') }
}
