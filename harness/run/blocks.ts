// The middle of a run: warm-up, silence, pairs of placebo and noise, with the drain after each. It moves time on and
// collects; what was collected is on disk before anybody looks at it.

import type { BlockFacts, Evidence, ProbeLine } from '../evidence/run.ts'
import type { Arm, NoiseTally } from '../evidence/types.ts'
import type { ForeignSighting } from '../load/generator-messages.ts'
import { unpack } from '../load/ledger.ts'
import type { NoiseDone } from '../load/noise-messages.ts'
import { type Counts, readLog } from '../recording/interval-log.ts'
import type { Scenario } from '../scenario/schema.ts'
import type { Target, TenantAccess } from '../target/port.ts'
import type { RunFolder } from './folder.ts'
import type { Prober } from './prober.ts'
import { record, type Window } from './recorder.ts'
import type { GeneratorThread, NoiseThread, SinkThread } from './threads.ts'

export interface Crew {
  target: Target
  quiet: TenantAccess[]
  noisy: TenantAccess
  generator: GeneratorThread
  apiNoise: NoiseThread
  streamNoise: NoiseThread | null
  sink: SinkThread
  prober: Prober
  folder: RunFolder
  nowUs(): number
  operationTimeoutMs: number
  /** Label of a canary's owner, by its index. */
  labelOf(owner: number): string
}

const emptyTally = (): NoiseTally => ({
  apiSent: 0,
  apiAnswered: 0,
  apiRefused: 0,
  apiErrors: 0,
  streamSent: 0,
  streamErrors: 0,
  cpuUs: 0,
})

const DRAIN_BLOCKS = 3
const DRAIN_POLL_MS = 20

export class Blocks {
  readonly facts: BlockFacts[] = []
  readonly noise = { placebo: emptyTally(), noise: emptyTally() }
  readonly ordered = { placebo: { api: 0, stream: 0 }, noise: { api: 0, stream: 0 } }
  readonly generatorHiccups: Evidence['hiccups'] = []
  /** What has been written to disk so far, as it will be read back. */
  readonly intervals = new Map<string, Counts>()
  readonly lines: ProbeLine[] = []
  readonly #crew: Crew
  readonly #scenario: Scenario
  #windows: Window[] = []
  #collectedUs = 0
  #index = 0
  /** What the noisy tenant was answered, until the next collection. */
  #answered: ProbeLine[] = []

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
    const { noise, blocks } = this.#scenario
    const half = {
      api: Math.ceil(noise.api.requestsPerSecond / 2),
      stream: Math.ceil(noise.stream.entriesPerSecond / 2),
    }
    await this.#makeNoise('noise', half, 500)
    await this.drain()
    const answer = await this.#crew.apiNoise.modal()
    if (answer) this.#crew.sink.answerLike(answer)
    await this.#makeNoise('placebo', half, 500)
    await this.#until(blocks.warmUpMs * 1000)
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
      if (arm !== 'silence') {
        const { api, stream } = this.#scenario.noise
        const seconds = lengthMs / 1000
        const counts = {
          api: Math.round(api.requestsPerSecond * seconds),
          stream: Math.round(stream.entriesPerSecond * seconds),
        }
        this.ordered[arm].api += counts.api
        if (this.#crew.streamNoise) this.ordered[arm].stream += counts.stream
        this.#tally(arm, await this.#makeNoise(arm, counts, lengthMs))
      }
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
    const { generator, quiet, prober, folder } = this.#crew
    const fromUs = this.#collectedUs
    const collected = await generator.collect(fromUs, toUs, withinMs)
    const operations = unpack(collected.operations)
    const labels = quiet.map(({ label }) => label)
    const { journal, log, facts } = record(labels, operations, this.#windows, fromUs, toUs)
    const received = labels.map((tenant, i): ProbeLine => {
      return { t: 'received', tenant, messages: collected.received[i] ?? 0, own: collected.ownCanaries[i] ?? 0 }
    })
    const seen = collected.sightings.map((s) => this.#sighting(s))
    const lines: ProbeLine[] = [...received, ...seen, ...this.#answered, ...prober.take()]
    this.#answered = []
    folder.append('journal.ndjson', journal + lines.map((line) => `${JSON.stringify(line)}\n`).join(''))
    folder.append('histograms.hlog', log)
    this.lines.push(...lines)
    readLog(log, this.intervals)
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

  async #makeNoise(
    arm: 'placebo' | 'noise',
    counts: { api: number; stream: number },
    lengthMs: number,
  ): Promise<[NoiseDone, NoiseDone | null]> {
    const { apiNoise, streamNoise } = this.#crew
    const stream = streamNoise && counts.stream > 0 ? streamNoise.block(arm, counts.stream, lengthMs) : null
    return await Promise.all([apiNoise.block(arm, counts.api, lengthMs), stream])
  }

  /** The noisy tenant receives something too: the answers to its flood. */
  #scanned({ answered, canaries }: NoiseDone): void {
    const { noisy, labelOf } = this.#crew
    const foreign = canaries.filter(({ owner }) => labelOf(owner) !== noisy.label)
    const own = canaries.length - foreign.length
    this.#answered.push({ t: 'received', tenant: noisy.label, messages: answered, own })
    const atUs = Math.round(this.#crew.nowUs())
    const where = 'answers to its flood'
    for (const { owner, digest, encoding } of foreign) {
      this.#answered.push({
        t: 'sighting',
        atUs,
        receiver: noisy.label,
        owner: labelOf(owner),
        digest,
        encoding,
        where,
      })
    }
  }

  #tally(arm: 'placebo' | 'noise', [api, stream]: [NoiseDone, NoiseDone | null]): void {
    if (arm === 'noise') this.#scanned(api)
    const tally = this.noise[arm]
    tally.apiSent += api.sent
    tally.apiAnswered += api.answered
    tally.apiRefused += api.refused
    tally.apiErrors += api.errors
    tally.streamSent += stream?.sent ?? 0
    tally.streamErrors += stream?.errors ?? 0
    tally.cpuUs += api.cpuUs + (stream?.cpuUs ?? 0)
  }

  async #until(us: number): Promise<void> {
    const leftMs = (us - this.#crew.nowUs()) / 1000
    if (leftMs > 0) await wait(leftMs)
  }
}

function wait(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
