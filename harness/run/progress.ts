// What a run tells while it goes on; who shows it, and how, is the command line's affair.

import type { BlockFacts } from '../evidence/run.ts'
import { Counts } from '../recording/counts.ts'
import type { Scenario } from '../scenario/schema.ts'
import { pairMs, type RunOptions } from './options.ts'

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

const START_MS = 2000

/** From the beginning of a phase to the first pair, milliseconds. */
export function beforePairsMs(phase: Progress['phase'], { warmUpMs, silence, lengthMs }: Scenario['blocks']): number {
  const silenceMs = silence * lengthMs
  return {
    start: START_MS + warmUpMs + silenceMs,
    'warm-up': warmUpMs + silenceMs,
    silence: silenceMs,
    pairs: 0,
    judge: 0,
  }[phase]
}

/** A function that tells how far the run is. */
export function progressOf(options: RunOptions, pairsPlanned: number) {
  const { blocks } = options.scenario
  return (phase: Progress['phase'], pair: number, seen?: Seen) => {
    const pairsLeftMs = (pairsPlanned - pair) * pairMs(blocks)
    const leftMs = phase === 'judge' ? 0 : beforePairsMs(phase, blocks) + pairsLeftMs
    options.onProgress({ phase, pair, pairsPlanned, leftMs, ...(seen ? soFar(seen) : nothing) })
  }
}

/** What was collected until now. */
interface Seen {
  facts: readonly BlockFacts[]
  intervals: ReadonlyMap<string, Counts>
}

const nothing = { offeredPerSecond: null, achievedPerSecond: null, placeboP99Ms: null, noiseP99Ms: null }

function soFar({ facts, intervals }: Seen) {
  const seconds = facts.reduce((sum, { startUs, settleUs, endUs }) => sum + (endUs - startUs - settleUs) / 1e6, 0)
  const perSecond = (of: 'offered' | 'ok') =>
    seconds === 0 ? null : facts.flatMap(({ tenants }) => tenants).reduce((sum, t) => sum + t[of], 0) / seconds
  return {
    offeredPerSecond: perSecond('offered'),
    achievedPerSecond: perSecond('ok'),
    placeboP99Ms: p99Ms(intervals, 'placebo'),
    noiseP99Ms: p99Ms(intervals, 'noise'),
  }
}

function p99Ms(intervals: ReadonlyMap<string, Counts>, arm: string): number | null {
  const of = [...intervals].filter(([tag]) => tag.includes(`/${arm}/`) && tag.endsWith('/response'))
  const us = Counts.sum(of.map(([, counts]) => counts)).quantile(0.99)
  return us === null ? null : us / 1000
}
