// The middle of a run: warm-up, silence, pairs of placebo and noise, with the drain after each. It moves time on and
// collects; what was collected is on disk before anybody looks at it.

import type { BlockFacts, DrainEnd, DrainFacts, DwellFacts, Evidence, ProbeLine } from '../evidence/run.ts'
import type { Arm } from '../evidence/types.ts'
import type { Collected, ForeignSighting } from '../load/generator-messages.ts'
import { type Operation, unpack } from '../load/ledger.ts'
import type { Counts } from '../recording/counts.ts'
import { logPart, readLog } from '../recording/interval-log.ts'
import type { Vitals } from '../recording/vitals.ts'
import type { Scenario } from '../scenario/schema.ts'
import { largestLimitMs } from '../verdict/objectives.ts'
import type { Crew } from './crew.ts'
import { drained, unreached } from './drain.ts'
import { DwellSample, readDwell } from './dwell.ts'
import { ThrownErrors } from './inspect.ts'
import { journalPart } from './journal.ts'
import type { CutAges, record as soundRecord, Window } from './recorder.ts'

export interface Wellness {
  ok: number
  offered: number
}

/** How a run writes down what it collects. */
export interface Recording {
  /** Of this run alone. */
  nonce: string
  record: typeof soundRecord
}

export const DRAIN_BLOCKS = 3
/** Operations that began less than this ago are left for the next collection. */
const UNDERWAY_US = 100_000
/** How long the operations of a target that seems to be gone may take to prove the contrary. */
const LAST_CHANCE_MS = 500

export class Blocks {
  readonly facts: BlockFacts[] = []
  readonly drains: DrainFacts[] = []
  readonly generatorHiccups: Evidence['hiccups'] = []
  /** What has been written to disk so far, as it will be read back. */
  readonly intervals = new Map<string, Counts>()
  readonly lines: ProbeLine[] = []
  /** What the generator said of its own connections, each once, and how its thread fared, by collection. */
  readonly problems: string[] = []
  readonly vitals: Vitals[] = []
  readonly #sample = new DwellSample()
  readonly thrown = new ThrownErrors()
  readonly #crew: Crew
  readonly #scenario: Scenario
  readonly #nonce: string
  readonly #record: typeof soundRecord
  #windows: Window[] = []
  /** Handed out to a collection that was overtaken by a cut. */
  readonly #early: Operation[] = []
  #collectedUs = 0
  #collections = 0
  #index = 0
  /** What was received, until the next collection that is written. */
  #answered: ProbeLine[] = []

  constructor(crew: Crew, scenario: Scenario, { nonce, record }: Recording) {
    this.#crew = crew
    this.#nonce = nonce
    this.#record = record
    this.#scenario = scenario
  }

  /** Quiet load from now on, alone. */
  async warmUp(): Promise<Wellness> {
    await this.#crew.wait(this.#scenario.blocks.warmUpMs / 2)
    return wellness(await this.#collect(this.#crew.nowUs() - UNDERWAY_US))
  }

  /**
   * The rest of the warm-up: the noise is tried, and the sink learns how the target answers.
   * @returns how the quiet operations fared once the noise was over; what it did to them before is not asked yet
   */
  async rehearse(): Promise<Wellness> {
    const { noise, nowUs } = this.#crew
    const { settleMs, warmUpMs } = this.#scenario.blocks
    await noise.tryOut('noise', nowUs)
    await this.drain('noise', null)
    const calmUs = nowUs() + settleMs * 1000
    await noise.teachSink()
    await noise.tryOut('placebo', nowUs)
    await this.#until(warmUpMs * 1000)
    const operations = await this.#collect(nowUs() - UNDERWAY_US)
    return wellness(operations.filter(({ intendedUs }) => intendedUs >= calmUs))
  }

  /** One block; its window is fixed before it begins. */
  async block(arm: Arm, pair: number | null): Promise<void> {
    const { lengthMs, settleMs } = this.#scenario.blocks
    const startUs = Math.round(this.#crew.nowUs()) + 1000
    const endUs = startUs + lengthMs * 1000
    this.#windows.push({ index: this.#index++, arm, pair, startUs, settleUs: settleMs * 1000, endUs })
    this.#crew.prober.begin(arm)
    try {
      if (arm !== 'silence') await this.#crew.noise.block(arm, { startUs, lengthMs, nowUs: this.#crew.nowUs })
      await this.#until(endUs)
    } finally {
      this.#crew.prober.rest()
    }
  }

  /** Waits until the noisy backlog is seen to be drained, for three blocks at most. */
  async drain(after: Arm, pair: number | null): Promise<DrainEnd> {
    const { target, noisy } = this.#crew
    const { lengthMs, settleMs } = this.#scenario.blocks
    const boundMs = DRAIN_BLOCKS * lengthMs
    const facts = await drained({ target, noisy, clock: this.#crew, boundMs, settleMs })
    this.drains.push({ pair, after, ...facts })
    return facts.end
  }

  /** Why the target is taken for dead: it answers nothing any more, and no quiet operation either. Null when it lives. */
  async gone(): Promise<string | null> {
    const sinceUs = this.#crew.nowUs()
    const why = await unreached(this.#crew.target, this.#crew)
    if (why === null) return null
    const operations = await this.saveCut(LAST_CHANCE_MS)
    const { ok, offered } = wellness(operations.filter(({ intendedUs }) => intendedUs >= sinceUs))
    if (ok > 0) return null
    return `it does not answer any more (${why}), and 0 of ${offered} quiet operations since then ended well`
  }

  /** Collects and saves every window that has ended; operations still open are waited for up to their timeout. */
  async save(withinMs = this.#crew.operationTimeoutMs): Promise<void> {
    const last = this.#windows.at(-1)
    if (last) await this.#collect(last.endUs, withinMs)
  }

  /** What the last, unfinished windows hold, when the run ends early: they belong to no pair. */
  async saveCut(withinMs: number): Promise<Operation[]> {
    const nowUs = Math.round(this.#crew.nowUs())
    this.#windows = this.#windows
      .filter((w) => w.startUs + w.settleUs < nowUs)
      .map((w) => (w.endUs <= nowUs ? w : { ...w, endUs: nowUs, pair: null }))
    return await this.#collect(nowUs, withinMs, {
      sloUs: largestLimitMs(this.#scenario.objectives) * 1000,
      timeoutUs: this.#crew.operationTimeoutMs * 1000,
    })
  }

  /** When the pairs are over: how long a sample of their runs had waited, as the target tells it. */
  async dwell(): Promise<DwellFacts> {
    const { target, quiet, folder, nowUs } = this.#crew
    const { facts, lines } = await readDwell(target, quiet, this.#sample, () => nowUs() / 1000)
    folder.append('journal.ndjson', lines.map((line) => `${JSON.stringify(line)}\n`).join(''))
    return facts
  }

  async #collect(toUs: number, withinMs = this.#crew.operationTimeoutMs, cut?: CutAges): Promise<Operation[]> {
    const { generator, quiet, prober, folder, noise } = this.#crew
    const collection = ++this.#collections
    const fromUs = this.#collectedUs
    const collected = await generator.collect(fromUs, toUs, withinMs)
    this.#answered.push(...this.#receivedIn(collected))
    if (this.#windows.length > 0) this.generatorHiccups.push({ who: 'generator', ...collected.hiccups })
    this.problems.push(...collected.problems)
    this.thrown.add('the generator', collected.thrown.times, collected.thrown.first)
    if (collected.vitals) this.vitals.push(collected.vitals)
    const operations = [...this.#early.splice(0), ...unpack(collected.operations)]
    // A cut came while we waited, and writes what is handed out to us: each operation is handed out once.
    if (collection !== this.#collections) {
      this.#early.push(...operations)
      return []
    }
    const labels = quiet.map(({ label }) => label)
    const { journal, log, facts } = this.#record(labels, operations, this.#windows, fromUs, toUs, cut)
    const lines: ProbeLine[] = [...this.#answered, ...noise.take(), ...prober.take()]
    this.#answered = []
    const told = lines.map((line) => `${JSON.stringify(line)}\n`).join('')
    folder.append('journal.ndjson', journalPart(this.#nonce) + journal + told)
    folder.append('histograms.hlog', logPart(this.#nonce) + log)
    this.lines.push(...lines)
    readLog(log, this.intervals)
    labels.forEach((label, i) => {
      prober.learn(label, collected.runIds[i] ?? [])
    })
    this.#sample.learn(collected.sampled, operations, this.#windows)
    this.facts.push(...facts)
    this.#windows = []
    this.#collectedUs = toUs
    return operations
  }

  #receivedIn({ received, ownCanaries, sightings }: Collected): ProbeLine[] {
    const messages = this.#crew.quiet.map(({ label }, i): ProbeLine => {
      return { t: 'received', tenant: label, messages: received[i] ?? 0, own: ownCanaries[i] ?? 0 }
    })
    return [...messages, ...sightings.map((sighting) => this.#sighting(sighting))]
  }

  #sighting({ atUs, receiver, owner, digest, encoding, where }: ForeignSighting): ProbeLine {
    const { labelOf } = this.#crew
    return { t: 'sighting', atUs, receiver: labelOf(receiver), owner: labelOf(owner), digest, encoding, where }
  }

  async #until(us: number): Promise<void> {
    const leftMs = (us - this.#crew.nowUs()) / 1000
    if (leftMs > 0) await this.#crew.wait(leftMs)
  }
}

const wellness = (operations: readonly Operation[]): Wellness => {
  return { ok: operations.filter(({ outcome }) => outcome === 'ok').length, offered: operations.length }
}
