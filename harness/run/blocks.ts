// The middle of a run: warm-up, silence, pairs of placebo and noise, with the drain after each. It moves time on and
// collects; what was collected is on disk before anybody looks at it.

import type { BlockFacts, Evidence, ProbeLine } from '../evidence/run.ts'
import type { Arm } from '../evidence/types.ts'
import type { ForeignSighting } from '../load/generator-messages.ts'
import { unpack } from '../load/ledger.ts'
import { type Counts, readLog } from '../recording/interval-log.ts'
import type { Scenario } from '../scenario/schema.ts'
import type { Target, TenantAccess } from '../target/port.ts'
import type { RunFolder } from './folder.ts'
import type { NoiseCrew } from './noise-crew.ts'
import type { Prober } from './prober.ts'
import { record, type Window } from './recorder.ts'
import type { GeneratorThread } from './threads.ts'

export interface Crew {
  target: Target
  quiet: TenantAccess[]
  noisy: TenantAccess
  generator: GeneratorThread
  noise: NoiseCrew
  prober: Prober
  folder: RunFolder
  nowUs(): number
  operationTimeoutMs: number
  /** Label of a canary's owner, by its index. */
  labelOf(owner: number): string
}

const DRAIN_BLOCKS = 3
const DRAIN_POLL_MS = 20

export class Blocks {
  readonly facts: BlockFacts[] = []
  readonly generatorHiccups: Evidence['hiccups'] = []
  /** What has been written to disk so far, as it will be read back. */
  readonly intervals = new Map<string, Counts>()
  readonly lines: ProbeLine[] = []
  readonly #crew: Crew
  readonly #scenario: Scenario
  #windows: Window[] = []
  #collectedUs = 0
  #index = 0

  constructor(crew: Crew, scenario: Scenario) {
    this.#crew = crew
    this.#scenario = scenario
  }

  /** Quiet load from now on, alone. @returns ok and offered */
  async warmUp(): Promise<{ ok: number; offered: number }> {
    await wait(this.#scenario.blocks.warmUpMs / 2)
    return await this.#collect(this.#crew.nowUs() - 100_000)
  }

  /** The rest of the warm-up: the noise is tried, and the sink learns how the target answers. @returns ok and offered */
  async rehearse(): Promise<{ ok: number; offered: number }> {
    const { noise, nowUs } = this.#crew
    await noise.tryOut('noise', nowUs)
    await this.drain()
    await noise.teachSink()
    await noise.tryOut('placebo', nowUs)
    await this.#until(this.#scenario.blocks.warmUpMs * 1000)
    return await this.#collect(this.#crew.nowUs() - 100_000)
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

  /** Waits until the noisy backlog is seen to be drained. @returns false when it outlived three blocks */
  async drain(): Promise<boolean> {
    const until = performance.now() + DRAIN_BLOCKS * this.#scenario.blocks.lengthMs
    for (;;) {
      const left = await this.#crew.target.backlog(this.#crew.noisy)
      if (left === null || left === 0) return true
      if (performance.now() > until) return false
      await wait(DRAIN_POLL_MS)
    }
  }

  /** Collects and saves every window that has ended; operations still open are waited for up to their timeout. */
  async save(withinMs = this.#crew.operationTimeoutMs): Promise<void> {
    const last = this.#windows.at(-1)
    if (last) await this.#collect(last.endUs, withinMs)
  }

  /** What the last, unfinished windows hold, when the run ends early: they belong to no pair. */
  async saveCut(withinMs: number): Promise<void> {
    const nowUs = Math.round(this.#crew.nowUs())
    this.#windows = this.#windows
      .filter((w) => w.startUs + w.settleUs < nowUs)
      .map((w) => (w.endUs <= nowUs ? w : { ...w, endUs: nowUs, pair: null }))
    await this.#collect(nowUs, withinMs)
  }

  async #collect(toUs: number, withinMs = this.#crew.operationTimeoutMs): Promise<{ ok: number; offered: number }> {
    const { generator, quiet, prober, folder, noise } = this.#crew
    const fromUs = this.#collectedUs
    const collected = await generator.collect(fromUs, toUs, withinMs)
    const operations = unpack(collected.operations)
    const labels = quiet.map(({ label }) => label)
    const { journal, log, facts } = record(labels, operations, this.#windows, fromUs, toUs)
    const received = labels.map((tenant, i): ProbeLine => {
      return { t: 'received', tenant, messages: collected.received[i] ?? 0, own: collected.ownCanaries[i] ?? 0 }
    })
    const seen = collected.sightings.map((s) => this.#sighting(s))
    const lines: ProbeLine[] = [...received, ...seen, ...noise.take(), ...prober.take()]
    folder.append('journal.ndjson', journal + lines.map((line) => `${JSON.stringify(line)}\n`).join(''))
    folder.append('histograms.hlog', log)
    this.lines.push(...lines)
    for (const [tag, counts] of readLog(log)) this.intervals.set(tag, counts)
    labels.forEach((label, i) => {
      prober.learn(label, collected.runIds[i] ?? [])
    })
    this.facts.push(...facts)
    if (facts.length > 0) this.generatorHiccups.push({ who: 'generator', ...collected.hiccups })
    this.#windows = []
    this.#collectedUs = toUs
    return { ok: operations.filter((op) => op.outcome === 'ok').length, offered: operations.length }
  }

  #sighting({ atUs, receiver, owner, digest, encoding, where }: ForeignSighting): ProbeLine {
    const { labelOf } = this.#crew
    return { t: 'sighting', atUs, receiver: labelOf(receiver), owner: labelOf(owner), digest, encoding, where }
  }

  async #until(us: number): Promise<void> {
    const leftMs = (us - this.#crew.nowUs()) / 1000
    if (leftMs > 0) await wait(leftMs)
  }
}

function wait(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
