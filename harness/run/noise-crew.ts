// The noise makers of a run and the placebo sink, as one: they are tried out, the sink learns to answer like the target,
// and each block has its fixed noise. Keeps what each maker did in each arm, and what the noisy tenant was answered.

import type { Evidence, ProbeLine, ScanCheck } from '../evidence/run.ts'
import type { MakerName, MakerTally, NoiseTally } from '../evidence/types.ts'
import { Failure } from '../failure.ts'
import type { ApiNoisePlan, NoiseDone, SinkSeen } from '../load/noise-messages.ts'
import type { NoiseScenario } from '../scenario/noise-schema.ts'
import type { TenantAccess } from '../target/port.ts'
import { type MakerPlan, makersOf } from './noise-plans.ts'
import { type NoiseThread, type SinkThread, startNoise, startSink } from './threads.ts'

type NoiseArm = 'placebo' | 'noise'

export const TRY_OUT_MS = 500

export const emptyTally = (): NoiseTally => ({
  apiSent: 0,
  apiAnswered: 0,
  apiRefused: 0,
  apiErrors: 0,
  streamSent: 0,
  streamErrors: 0,
  cpuUs: 0,
  makers: {},
})

const emptyMaker = (): MakerTally => ({
  ordered: 0,
  sent: 0,
  answered: 0,
  refused: 0,
  errors: 0,
  sentLate: 0,
  lastSentUs: 0,
  sinkSeen: 0,
  cpuUs: 0,
})

export interface NoiseParts {
  noise: NoiseScenario
  noisy: TenantAccess
  /** The noisy tenant's own, in all that it sends. */
  canary: string
  canaryKey: string
  /** Label of a canary's owner, by its index. */
  labelOf(owner: number): string
}

export interface NoiseTime {
  /** Of the block, on the run's clock. */
  startUs: number
  lengthMs: number
  nowUs(): number
}

interface Maker extends Pick<MakerPlan, 'maker' | 'perSecond' | 'kind'> {
  thread: NoiseThread
}

/** @throws Failure usage when the target offers no way for any of the scenario's noise */
export async function startNoiseCrew(parts: NoiseParts, cleaners: Array<() => Promise<unknown>>): Promise<NoiseCrew> {
  const { plans, notApplicable } = makersOf(parts.noise, parts.noisy, parts.canary)
  if (plans.length === 0) {
    const why = notApplicable.map((missing) => `${missing.what}: ${missing.why}`).join('; ')
    throw new Failure('usage', 'noise-not-applicable', `none of the scenario's noise can reach this target (${why})`, {
      fix: 'give the scenario `noise.api`, or take a target that offers the rest',
    })
  }
  const sink = await startSink(plans.filter(({ kind }) => kind === 'api').map(({ maker }) => maker))
  cleaners.push(() => sink.stop())
  const makers: Maker[] = []
  for (const { perSecond, ...plan } of plans) {
    const thread = await startNoise(
      plan.kind === 'stream' ? { ...plan, sinkRedisUrl: sink.redisUrl } : overApi(plan, sink, parts.canaryKey),
    )
    cleaners.push(() => thread.stop())
    makers.push({ maker: plan.maker, kind: plan.kind, perSecond, thread })
  }
  return new NoiseCrew(parts, makers, sink, notApplicable)
}

function overApi(
  plan: Omit<ApiNoisePlan, 'sinkOrigin' | 'canaryKey'>,
  { origins }: SinkThread,
  canaryKey: string,
): ApiNoisePlan {
  const sinkOrigin = origins[plan.maker]
  if (sinkOrigin === undefined) throw new Error(`the sink has no port for ${plan.maker}`)
  return { ...plan, sinkOrigin, canaryKey }
}

export class NoiseCrew {
  readonly tally = { placebo: emptyTally(), noise: emptyTally() }
  readonly ordered = { placebo: { api: 0, stream: 0 }, noise: { api: 0, stream: 0 } }
  readonly notApplicable: Evidence['notApplicable']
  /** Operations a second of each maker, as the scenario asks for them. */
  readonly planned: Evidence['noisePlanned']
  readonly scans: ScanCheck[]
  /** Rejects when a maker or the sink fails or ends by itself; never resolves. */
  readonly failed: Promise<never>
  readonly #parts: NoiseParts
  readonly #makers: readonly Maker[]
  readonly #sink: SinkThread
  /** What the noisy tenant was answered, until it is taken. */
  #answered: ProbeLine[] = []

  constructor(parts: NoiseParts, makers: readonly Maker[], sink: SinkThread, notApplicable: Evidence['notApplicable']) {
    this.#parts = parts
    this.#makers = makers
    this.#sink = sink
    this.notApplicable = notApplicable
    this.planned = Object.fromEntries(makers.map(({ maker, perSecond }) => [maker, perSecond]))
    this.scans = makers.flatMap(({ thread }) => thread.scan ?? [])
    this.failed = Promise.race([sink.failed, ...makers.map(({ thread }) => thread.failed)])
    this.failed.catch(() => {})
  }

  /** Half a second of all the noise, counted nowhere; but a leak in what it is answered is one. */
  async tryOut(arm: NoiseArm, nowUs: () => number): Promise<void> {
    await this.#make(arm, { startUs: nowUs(), lengthMs: TRY_OUT_MS, nowUs })
  }

  /** From now on the sink answers each maker like the target mostly did, and a slow start as late as it did. */
  async teachSink(): Promise<void> {
    for (const { maker, kind, thread } of this.#makers) {
      const answer = kind === 'api' ? await thread.modal() : null
      if (answer) this.#sink.answerLike(maker, answer, maker === 'slow' ? answer.serviceMs : 0)
    }
  }

  async block(arm: NoiseArm, time: NoiseTime): Promise<void> {
    // An A/A run: both arms are placebo. The rehearsal is not, or the sink would not learn how the target answers.
    const to = this.#parts.noise.to === 'sink' ? 'placebo' : arm
    const { done, seen } = await this.#make(to, time)
    for (const [maker, played] of done) this.#count(arm, maker, played, seen)
  }

  /** What the noisy tenant received since it was taken before: it receives something too, the answers to its flood. */
  take(): ProbeLine[] {
    const lines = this.#answered
    this.#answered = []
    return lines
  }

  /** @param arm where it goes: to the sink, or to the target */
  async #make(arm: NoiseArm, { startUs, lengthMs, nowUs }: NoiseTime) {
    const startNs = process.hrtime.bigint() + BigInt(Math.round((startUs - nowUs()) * 1000))
    const making = this.#makers.map(async (maker): Promise<[Maker, NoiseDone]> => {
      const count = Math.round((maker.perSecond * lengthMs) / 1000)
      return [maker, await maker.thread.block({ arm, count, lengthMs, startNs })]
    })
    const done = await Promise.all(making)
    const seen = await this.#sink.seen()
    if (arm === 'noise') for (const [{ kind }, played] of done) if (kind === 'api') this.#scanned(played, nowUs())
    return { done, seen }
  }

  #scanned({ answered, canaries }: NoiseDone, nowUs: number): void {
    const { noisy, labelOf } = this.#parts
    const foreign = canaries.filter(({ owner }) => labelOf(owner) !== noisy.label)
    const own = canaries.length - foreign.length
    this.#answered.push({ t: 'received', tenant: noisy.label, messages: answered, own })
    const at = { t: 'sighting', atUs: Math.round(nowUs), receiver: noisy.label, where: 'answers to its flood' } as const
    for (const { owner, digest, encoding } of foreign) {
      this.#answered.push({ ...at, owner: labelOf(owner), digest, encoding })
    }
  }

  #count(arm: NoiseArm, { maker, kind }: Maker, played: NoiseDone, seen: SinkSeen): void {
    this.#countMaker(arm, maker, played, seen[maker] ?? 0)
    const all = this.tally[arm]
    all.cpuUs += played.cpuUs
    this.ordered[arm][kind] += played.ordered
    if (kind === 'stream') {
      all.streamSent += played.sent
      all.streamErrors += played.errors
      return
    }
    all.apiSent += played.sent
    all.apiAnswered += played.answered
    all.apiRefused += played.refused
    all.apiErrors += played.errors
  }

  #countMaker(arm: NoiseArm, name: MakerName, played: NoiseDone, sinkSeen: number): void {
    const tally = this.tally[arm].makers[name] ?? emptyMaker()
    for (const what of ['ordered', 'sent', 'answered', 'refused', 'errors', 'sentLate', 'cpuUs'] as const) {
      tally[what] += played[what]
    }
    tally.lastSentUs = Math.max(tally.lastSentUs, played.lastSentUs)
    tally.sinkSeen += sinkSeen
    this.tally[arm].makers[name] = tally
  }
}
