// Everything that works in a run, started in order: the sink, the generator, the noise makers, the control process, the
// prober. Refuses to move time on; that is done by who has the crew.

import { randomBytes } from 'node:crypto'
import type { Scenario } from '../scenario/schema.ts'
import type { Guard } from '../stack/guard.ts'
import type { Target, TenantAccess } from '../target/port.ts'
import { Canaries } from '../tenants/canary.ts'
import type { RunFolder } from './folder.ts'
import { OPERATION_TIMEOUT_MS, type RunOptions } from './options.ts'
import { type Prober, startProber } from './prober.ts'
import { fillCanary, plans, type Stand } from './stand.ts'
import {
  type Control,
  type GeneratorThread,
  type NoiseThread,
  type SinkThread,
  startControl,
  startGenerator,
  startNoise,
  startSink,
} from './threads.ts'

/** The run's one clock. */
export interface Clock {
  /** Microseconds since the generator's zero. */
  nowUs(): number
  /** @param enough ends the wait before its time */
  wait(ms: number, enough?: AbortSignal): Promise<void>
}

export interface Crew extends Clock {
  target: Target
  quiet: TenantAccess[]
  noisy: TenantAccess
  generator: Pick<GeneratorThread, 'collect'>
  apiNoise: Pick<NoiseThread, 'block' | 'modal'>
  streamNoise: Pick<NoiseThread, 'block'> | null
  sink: Pick<SinkThread, 'answerLike'>
  prober: Prober
  control: Control
  folder: Pick<RunFolder, 'append'>
  operationTimeoutMs: number
  /** Arrivals are scheduled up to here. */
  horizonUs: number
  /** Rejects as soon as a thread fails or ends by itself. */
  failed: Promise<never>
  /** Label of a canary's owner, by its index. */
  labelOf(owner: number): string
}

const SUBSCRIBE_WITHIN_MS = 5000
const HORIZON_LEAST_MS = 400_000

/** Half as long again as blocks, silence and short drains take; a run that comes to its end begins no further pair. */
function horizonUs({ blocks }: Scenario): number {
  const { warmUpMs, silence, lengthMs, pairs } = blocks
  return 1000 * Math.max(HORIZON_LEAST_MS, 1.5 * (warmUpMs + (silence + 2 * pairs) * lengthMs + pairs * 300))
}

function wait(ms: number, enough?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer)
      enough?.removeEventListener('abort', end)
      resolve()
    }
    const timer = setTimeout(end, ms)
    enough?.addEventListener('abort', end, { once: true })
  })
}

export interface CrewParts {
  options: RunOptions
  standing: Stand
  folder: RunFolder
  guard: Guard
  cleaners: Array<() => Promise<unknown>>
}

/** The quiet load runs when this resolves. */
export async function startCrew({ options, standing, folder, guard, cleaners }: CrewParts): Promise<Crew> {
  const { scenario, runSeed } = options
  const { target, quiet, noisy } = standing
  const canaryKey = randomBytes(16).toString('hex')
  const canaries = new Canaries(canaryKey)
  const horizon = horizonUs(scenario)

  const sink = await startSink()
  cleaners.push(() => sink.stop())
  const plan = { tenants: quiet, ratesPerSecond: plans(scenario, '').rates, runSeed, horizonUs: horizon }
  const generator = await startGenerator(
    { ...plan, operationTimeoutMs: OPERATION_TIMEOUT_MS, canaryKey },
    SUBSCRIBE_WITHIN_MS,
  )
  cleaners.push(() => generator.stop())
  const { start, stream } = fillCanary(noisy, canaries.mintFor(quiet.length).mint())
  const { connections } = scenario.noise.api
  const apiTarget = { origin: noisy.origin, call: start }
  const apiNoise = await startNoise({ kind: 'api', connections, target: apiTarget, sinkOrigin: sink.origin, canaryKey })
  cleaners.push(() => apiNoise.stop())
  const streamNoise = stream ? await startNoise({ kind: 'stream', target: stream, sinkRedisUrl: sink.redisUrl }) : null
  if (streamNoise) cleaners.push(() => streamNoise.stop())

  const zeroNs = process.hrtime.bigint()
  const nowUs = () => Number(process.hrtime.bigint() - zeroNs) / 1000
  const labels = [...quiet, noisy].map(({ label }) => label)
  const prober = startProber(quiet, [...quiet, noisy], canaries, nowUs)
  // A block that is cut short does not come to its own end.
  cleaners.push(async () => prober.rest())
  const threads = [generator, apiNoise, sink, ...(streamNoise ? [streamNoise] : [])]
  const failed = Promise.race(threads.map((thread) => thread.failed))
  failed.catch(() => {})
  generator.begin(zeroNs)
  return {
    target,
    quiet,
    noisy,
    generator,
    apiNoise,
    streamNoise,
    sink,
    prober,
    control: startControl(guard),
    folder,
    nowUs,
    wait,
    operationTimeoutMs: OPERATION_TIMEOUT_MS,
    horizonUs: horizon,
    failed,
    labelOf: (owner) => labels[owner] ?? 'unknown',
  }
}
