// Everything that works in a run, started in order: the sink, the generator, the noise makers, the control process, the
// prober. Refuses to move time on; that is done by who has the crew.

import { randomBytes } from 'node:crypto'
import type { Guard } from '../stack/guard.ts'
import type { Target, TenantAccess } from '../target/port.ts'
import type { RunFolder } from './folder.ts'
import type { Inspected } from './inspect.ts'
import { sound } from './instruments.ts'
import { type NoiseCrew, startNoiseCrew } from './noise-crew.ts'
import { OPERATION_TIMEOUT_MS, type RunOptions } from './options.ts'
import { type Prober, startProber } from './prober.ts'
import { plans, type Stand } from './stand.ts'
import { type Control, type GeneratorThread, startControl, startGenerator } from './threads.ts'

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
  noise: Pick<NoiseCrew, 'block' | 'tryOut' | 'teachSink' | 'take' | 'tally' | 'ordered' | 'planned' | 'notApplicable'>
  prober: Prober
  /** What can be looked at before time moves on. */
  inspected: Omit<Inspected, 'tenants'>
  control: Control
  folder: Pick<RunFolder, 'append'>
  operationTimeoutMs: number
  /** Rejects as soon as a thread fails or ends by itself. */
  failed: Promise<never>
  /** Label of a canary's owner, by its index. */
  labelOf(owner: number): string
}

const SUBSCRIBE_WITHIN_MS = 5000

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
  const instruments = options.instruments ?? sound
  const canaries = instruments.canaries(canaryKey)
  const scanner = instruments.scanner(canaries)

  const labels = [...quiet, noisy].map(({ label }) => label)
  const labelOf = instruments.owners(labels)

  const plan = { tenants: quiet, loads: plans(scenario, '').loads, runSeed }
  const generator = await startGenerator(
    { ...plan, operationTimeoutMs: OPERATION_TIMEOUT_MS, canaryKey },
    SUBSCRIBE_WITHIN_MS,
  )
  cleaners.push(() => generator.stop())
  const canary = canaries.mintFor(quiet.length).mint()
  const noise = await startNoiseCrew({ noise: scenario.noise, noisy, canary, canaryKey, labelOf }, cleaners)

  const zeroNs = process.hrtime.bigint()
  const nowUs = () => Number(process.hrtime.bigint() - zeroNs) / 1000
  const prober = startProber(quiet, [...quiet, noisy], { scanner, labelOf }, nowUs)
  // A block that is cut short does not come to its own end.
  cleaners.push(async () => prober.rest())
  const failed = Promise.race([generator.failed, noise.failed])
  failed.catch(() => {})
  generator.begin(zeroNs)
  return instruments.crew({
    target,
    quiet,
    noisy,
    generator,
    noise,
    prober,
    inspected: {
      canaries,
      scanner,
      labelOf,
      scans: [generator.checks.scan, ...noise.scans],
      minted: generator.checks.minted,
    },
    control: startControl(guard),
    folder,
    nowUs,
    wait,
    operationTimeoutMs: OPERATION_TIMEOUT_MS,
    failed,
    labelOf,
  })
}
