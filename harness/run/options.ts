// What a run is asked to do.

import type { Scenario } from '../scenario/schema.ts'
import type { Progress } from './progress.ts'

/** After this long a quiet operation that was not answered counts as unfinished. Milliseconds. */
export const OPERATION_TIMEOUT_MS = 10_000

export interface RunOptions {
  scenario: Scenario
  target: { kind: 'reference'; defect: string | null } | { kind: 'http'; file: string }
  redisUrl?: string
  out?: string
  runSeed: number
  /** Upper bound of measured time, seconds. */
  budgetS?: number
  onProgress(progress: Progress): void
  signal: AbortSignal
}
