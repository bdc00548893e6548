// What the judge is given. Pure data; no clock, no I/O.

import type { Block, Finding, Objectives } from '../evidence/types.ts'
import type { IsolationReport, Precondition } from '../evidence/verdict.ts'
import type { DwellInput } from './dwell.ts'

export interface JudgeInput {
  runSeed: number
  quietTenants: string[]
  objectives: Objectives
  /** Pairs planned, which fixes the levels; at least 3. */
  pairsPlanned: number
  blocks: Block[]
  findings: Finding[]
  preconditions: Precondition[]
  /** Set when the target died or its backlog outlived the drain: words for the reason. */
  targetDied: string | null
  pairsEnded: string | null
  /** A response time that stands for "never", milliseconds: the operation timeout. */
  timeoutMs: number
  /** `sink` in an A/A run, whose noise never reached the target; `target` where it is absent. */
  noiseTo?: 'target' | 'sink'
  /** Operations a second that the noise makers sent at the target under noise; absent where it is not known. */
  noisePerSecond?: number
  /** The longest time with something due and nothing done. */
  starvation?: NonNullable<IsolationReport['starvation']>
  /** What the target told of how long runs waited. */
  dwell?: DwellInput
  /** Looks that were taken while the run went on; absent where there was no run. */
  looksTaken?: ReadonlyArray<{ pair: number; outcome: string }>
}
