// The measured part of a run: silence, then pairs until they are decided, used up, or cannot go on. It writes down why they
// ended; it refuses to judge, and to go on with a target that is gone.

import type { DrainEnd, Evidence } from '../evidence/run.ts'
import { orderOfPairs } from '../load/schedule.ts'
import { lookAt } from '../verdict/interference.ts'
import { FIRST_LOOK } from '../verdict/levels.ts'
import { decides } from '../verdict/stopping.ts'
import type { JudgeInput } from '../verdict/types.ts'
import { judgeInput } from './assemble.ts'
import type { Blocks } from './blocks.ts'
import type { Crew } from './crew.ts'
import { Cut } from './cut.ts'
import { deadBlock, unwell } from './draft.ts'

export interface PairsParts {
  evidence: Evidence
  blocks: Blocks
  crew: Pick<Crew, 'nowUs' | 'noise' | 'prober' | 'target'>
  silence: number
  /** Upper bound of measured time, seconds. */
  budgetS?: number | undefined
  /** The work, or what cuts it short. */
  within<T>(work: Promise<T>): Promise<T>
  /** Told of every pair that is on disk. */
  onPair(pair: number): void
}

/** The evidence with the facts of the blocks, as far as they are on disk. */
export function collected(
  { selfChecks }: Pick<Evidence, 'selfChecks'>,
  blocks: Blocks,
  { noise, prober }: Pick<Crew, 'noise' | 'prober'>,
): Pick<Evidence, 'blocks' | 'noise' | 'noiseOrdered' | 'drains' | 'problems' | 'vitals' | 'selfChecks'> {
  const { questions, thrown } = prober.account()
  const ofProber = thrown.times === 0 ? [] : [{ who: 'the prober', ...thrown }]
  return {
    selfChecks: { ...selfChecks, questions, thrown: [...blocks.thrown.all, ...ofProber] },
    blocks: blocks.facts,
    noise: noise.tally,
    noiseOrdered: noise.ordered,
    drains: blocks.drains,
    problems: [...new Set(blocks.problems)],
    vitals: {
      loopUtilizationMax: Math.max(0, ...blocks.vitals.map(({ loopUtilization }) => loopUtilization)),
      cpuUs: blocks.vitals.reduce((sum, { cpuUs }) => sum + cpuUs, 0),
      gcCount: blocks.vitals.reduce((sum, { gc }) => sum + gc.count, 0),
      gcMaxUs: Math.max(0, ...blocks.vitals.map(({ gc }) => gc.maxUs)),
      gcSumUs: blocks.vitals.reduce((sum, { gc }) => sum + gc.sumUs, 0),
    },
  }
}

export class Pairs {
  readonly #parts: PairsParts
  #beganUs = 0

  constructor(parts: PairsParts) {
    this.#parts = parts
  }

  /** @throws Cut when the target is gone */
  async measure(): Promise<void> {
    const { evidence, blocks, crew, silence, within } = this.#parts
    this.#beganUs = crew.nowUs()
    for (let i = 0; i < silence; i++) await within(blocks.block('silence', null))
    await this.#save('seen')
    const noiseFirst = orderOfPairs(evidence.runSeed, evidence.pairsPlanned)
    for (const [index, first] of noiseFirst.entries()) {
      const pair = index + 1
      evidence.pairsEnded = this.#usedUp()
      if (evidence.pairsEnded !== null) return
      const drain = await this.#pair(pair, first)
      await this.#save(drain)
      this.#parts.onPair(pair)
      evidence.pairsEnded = noFurther(pair, drain)
      if (evidence.pairsEnded !== null || this.#decided(pair)) return
    }
  }

  /** @returns how its drains ended; the first that leaves no way on ends the pair */
  async #pair(pair: number, noiseFirst: boolean): Promise<DrainEnd> {
    const { blocks, within } = this.#parts
    let drain: DrainEnd = 'seen'
    for (const arm of noiseFirst ? (['noise', 'placebo'] as const) : (['placebo', 'noise'] as const)) {
      await within(blocks.block(arm, pair))
      drain = await within(blocks.drain(arm, pair))
      if (noFurther(pair, drain) !== null) break
    }
    return drain
  }

  /** @throws Cut when the target is gone */
  async #save(drain: DrainEnd): Promise<void> {
    const { blocks, crew, within } = this.#parts
    const before = blocks.facts.length
    await within(blocks.save())
    const saved = blocks.facts.slice(before)
    const suspicious = unwell(saved) > 0 || drain === 'outlived' || drain === 'unreachable'
    // A block without one good answer may be a machine that stood still: where the target can be asked, its answer counts.
    const dead = crew.target.reach ? null : deadBlock(saved)
    const gone = dead ?? (suspicious ? await within(blocks.gone()) : null)
    if (gone !== null) throw new Cut(gone)
  }

  /** Why no further pair is begun. */
  #usedUp(): string | null {
    const { crew, budgetS } = this.#parts
    const measuredS = (crew.nowUs() - this.#beganUs) / 1e6
    if (budgetS === undefined || measuredS < budgetS) return null
    return `the budget of ${budgetS} s was used up, with ${measuredS.toFixed(1)} s of blocks, drains and waits`
  }

  /** A look: the evidence of this pair is on disk already, and is read from there. */
  #decided(pair: number): boolean {
    if (pair < FIRST_LOOK) return false
    const { evidence, blocks, crew } = this.#parts
    const input = judgeInput({ ...evidence, ...collected(evidence, blocks, crew) }, blocks.intervals, blocks.lines)
    const look = lookAt(input, pair)
    evidence.looks.push({ pair, outcome: look.outcome })
    if (decides(look, input)) return true
    evidence.pairsEnded = brokenWords(input)
    return evidence.pairsEnded !== null
  }
}

function noFurther(pair: number, drain: DrainEnd): string | null {
  if (drain === 'outlived') return `the noisy backlog of pair ${pair} outlived a drain of 3 blocks`
  if (drain === 'unreachable') return `the target could not be reached for a while in a drain of pair ${pair}`
  return null
}

function brokenWords({ findings }: JudgeInput): string | null {
  const broken = findings.filter(({ finding }) => finding === 'broken').map(({ probe }) => probe)
  return broken.length === 0 ? null : `${broken.join(', ')} is broken, which further pairs cannot change`
}
