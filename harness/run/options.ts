// What a run is asked to do.

import type { ActsScenario, Scenario } from '../scenario/schema.ts'
import type { Progress } from './progress.ts'

/** After this long a quiet operation that was not answered counts as unfinished. Milliseconds. */
export const OPERATION_TIMEOUT_MS = 10_000

interface CommonOptions {
  target: { kind: 'reference'; defect: string | null } | { kind: 'http'; file: string }
  redisUrl?: string
  out?: string
  runSeed: number
  signal: AbortSignal
}

export interface RunOptions extends CommonOptions {
  scenario: Scenario
  /** Upper bound of measured time, seconds. */
  budgetS?: number
  onProgress(progress: Progress): void
}

export interface ActsOptions extends CommonOptions {
  scenario: ActsScenario
  /** Told of an act's beginning and end, in words. */
  onAct(words: string): void
}
