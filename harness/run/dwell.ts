// How long runs waited from queued to first executed: a bounded sample of every tenant and block, read back from the target
// when the pairs are over, so that reading disturbs nothing that is measured. Writes down what the target said; judges nothing.

import type { DwellFacts, DwellObservation } from '../evidence/run.ts'
import type { Arm } from '../evidence/types.ts'
import type { Operation } from '../load/ledger.ts'
import type { SampledRun } from '../load/run-sample.ts'
import type { Target, TenantAccess } from '../target/port.ts'
import { inWindow, type Window } from './recorder.ts'

/** 25 blocks of an arm give 300: a p99 wants 299. */
const PER_BLOCK = 12
const QUESTIONS = 4000
const AT_ONCE = 8
const WITHIN_MS = 10_000

interface Placed {
  tenant: number
  arm: Arm
  block: number
  id: string
}

export class DwellSample {
  /** Chosen, and its operation not collected yet. */
  readonly #unplaced = new Map<number, SampledRun>()
  readonly #placed: Placed[] = []

  /** @param operations as they were collected, each once; windows that ended among them */
  learn(sampled: readonly SampledRun[], operations: readonly Operation[], windows: readonly Window[]): void {
    for (const run of sampled) this.#unplaced.set(run.seq, run)
    for (const operation of operations) {
      const run = this.#unplaced.get(operation.seq)
      if (!run) continue
      this.#unplaced.delete(operation.seq)
      const window = windows.find((one) => inWindow(operation, one))
      if (window) this.#placed.push({ tenant: run.tenant, arm: window.arm, block: window.index, id: run.id })
    }
  }

  /** So many of each tenant and block that all are asked about alike: first one of each, then the second, and so on. */
  get questions(): Placed[] {
    const groups = new Map<string, Placed[]>()
    for (const run of this.#placed) {
      const key = `${run.tenant}/${run.block}`
      const group = groups.get(key)
      if (group) group.push(run)
      else groups.set(key, [run])
    }
    const each = Math.min(PER_BLOCK, Math.max(1, Math.floor(QUESTIONS / Math.max(1, groups.size))))
    return Array.from({ length: each }, (_, n) => [...groups.values()].flatMap((group) => group[n] ?? []))
      .flat()
      .slice(0, QUESTIONS)
  }
}

export interface DwellRead {
  facts: DwellFacts
  lines: DwellObservation[]
}

/** @param nowMs any clock that goes on evenly, milliseconds */
export async function readDwell(
  target: Pick<Target, 'run'>,
  quiet: readonly TenantAccess[],
  { questions }: Pick<DwellSample, 'questions'>,
  nowMs: () => number,
): Promise<DwellRead> {
  if (!target.run) return { facts: { state: 'not-offered' }, lines: [] }
  const read = target.run.bind(target)
  const lines: DwellObservation[] = []
  const fromMs = nowMs()
  let [asked, unknown, why] = [0, 0, '']
  const one = async ({ tenant, arm, block, id }: Placed) => {
    const access = quiet[tenant]
    if (!access) return
    asked++
    try {
      const run = await read(access, id)
      if (!run) return void unknown++
      const { attempt, queuedMs, startedMs } = run
      lines.push({ t: 'dwell', tenant: access.label, arm, block, run: id, attempt, queuedMs, startedMs })
    } catch (error) {
      why = error instanceof Error ? error.message : String(error)
    }
  }
  const left = questions[Symbol.iterator]()
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      // One that does not answer is not asked again and again: what was told until then is what there is.
      for (const question of left) {
        await one(question)
        if (why !== '' || nowMs() - fromMs > WITHIN_MS) return
      }
    }),
  )
  const facts = { questions: questions.length, asked, answered: lines.length, unknown }
  return { facts: { state: 'asked', ...facts, tookMs: Math.round(nowMs() - fromMs), why }, lines }
}
