// What a run is asked to do.

import { Failure } from '../failure.ts'
import type { ActsScenario, Scenario } from '../scenario/schema.ts'
import type { Target } from '../target/port.ts'
import type { Instruments } from './instruments.ts'
import type { Progress } from './progress.ts'

/** After this long a quiet operation that was not answered counts as unfinished. Milliseconds. */
export const OPERATION_TIMEOUT_MS = 10_000

interface CommonOptions {
  /** A foreign one is read before anything is started, and made when the rest stands. */
  target: { kind: 'reference'; defect: string | null } | { kind: 'foreign'; make(): Promise<Target> }
  redisUrl?: string
  out?: string
  runSeed: number
  signal: AbortSignal
}

export interface RunOptions extends CommonOptions {
  scenario: Scenario
  /** Other ones than the sound ones, in tests of what becomes of a run whose instruments are broken. */
  instruments?: Instruments
  /** Upper bound of measured time, seconds. */
  budgetS?: number
  onProgress(progress: Progress): void
  /** Told the folder when the run ends by an error and what was measured until then is kept. */
  onKept?(folder: string): void
}

export interface ActsOptions extends CommonOptions {
  scenario: ActsScenario
  /** Told of an act's beginning and end, in words. */
  onAct(words: string): void
}

/** What a pair takes beside its blocks, drains and collections, with a target that is not in trouble. */
const BESIDE_BLOCKS_MS = 300
const PAIRS_LEAST = 3

/** Milliseconds. */
export const pairMs = ({ lengthMs }: Scenario['blocks']): number => 2 * lengthMs + BESIDE_BLOCKS_MS

/** A function of the options alone: the levels of the looks are fixed by it before anything is measured. */
export function plannedPairs({ blocks }: Scenario, budgetS: number | undefined): number {
  if (budgetS === undefined) return blocks.pairs
  const silenceMs = blocks.silence * blocks.lengthMs
  const eachMs = pairMs(blocks)
  const fit = Math.max(0, Math.floor((budgetS * 1000 - silenceMs) / eachMs))
  if (fit >= PAIRS_LEAST) return Math.min(blocks.pairs, fit)
  const holds = `a budget of ${budgetS} s holds ${silenceMs / 1000} s of silence and ${fit} pairs of ${eachMs / 1000} s`
  throw new Failure('usage', 'budget-too-small', `${holds}; at least ${PAIRS_LEAST} pairs are wanted`, {
    fix: `give --budget ${Math.ceil((silenceMs + PAIRS_LEAST * eachMs) / 1000)}s or more`,
  })
}
