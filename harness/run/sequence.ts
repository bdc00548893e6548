// The sequence of a run: provision, warm up, blocks, drain, judge, save, clean. One way, no back and forth.

import { randomBytes } from 'node:crypto'
import type { Evidence } from '../evidence/run.ts'
import type { Verdict } from '../evidence/verdict.ts'
import { Failure } from '../failure.ts'
import { orderOfPairs } from '../load/schedule.ts'
import { logHead } from '../recording/interval-log.ts'
import type { Scenario } from '../scenario/schema.ts'
import { type Guard, openGuard } from '../stack/guard.ts'
import type { TenantAccess } from '../target/port.ts'
import { Canaries } from '../tenants/canary.ts'
import { lookAt } from '../verdict/interference.ts'
import { decides } from '../verdict/stopping.ts'
import { judgeFlood, judgeInput } from './assemble.ts'
import { Blocks, type Crew } from './blocks.ts'
import { Cut, cutBy } from './cut.ts'
import { deadBlock, draft, merged, notApplicable } from './draft.ts'
import { RunFolder, verdictText } from './folder.ts'
import { OPERATION_TIMEOUT_MS, type RunOptions } from './options.ts'
import { startProber } from './prober.ts'
import { progressOf } from './progress.ts'
import { fillCanary, plans, stand } from './stand.ts'
import { startControl, startGenerator, startNoise, startSink } from './threads.ts'

export interface RunResult {
  folder: string
  evidence: Evidence
  verdict: Verdict
}

const CUT_COLLECT_MS = 1000
const HEALTHY_SHARE = 0.95

function plannedPairs(scenario: Scenario, budgetS: number | undefined): number {
  const { pairs, lengthMs } = scenario.blocks
  if (budgetS === undefined) return pairs
  const fit = Math.floor((budgetS * 1000) / (2 * lengthMs))
  if (fit < 3) {
    throw new Failure(
      'usage',
      'budget-too-small',
      `a budget of ${budgetS} s holds ${fit} pairs of ${(2 * lengthMs) / 1000} s; at least 3 are wanted`,
      {
        fix: `give --budget ${Math.ceil((6 * lengthMs) / 1000)}s or more`,
      },
    )
  }
  return Math.min(pairs, fit)
}

/** Runs a scenario; the folder holds the evidence before the verdict is formed. Everything started is gone at the end. */
export async function runScenario(options: RunOptions): Promise<RunResult> {
  const pairsPlanned = plannedPairs(options.scenario, options.budgetS)
  const startedAt = new Date()
  const guard = await openGuard()
  const cleaners: Array<() => Promise<unknown>> = [() => guard.close()]
  let folder: RunFolder | null = null
  try {
    folder = RunFolder.create(options.out, options.scenario.scenario, startedAt, (unfinished) =>
      guard.watch(unfinished),
    )
    return await measured(options, pairsPlanned, folder, startedAt, guard, cleaners)
  } catch (error) {
    folder?.discard()
    throw error
  } finally {
    for (const clean of cleaners.reverse()) await clean().catch(() => {})
  }
}

/** Before any noise and after its rehearsal: a target that is not well by itself cannot be judged. */
function refuseUnhealthy({ ok, offered }: { ok: number; offered: number }): void {
  if (ok >= offered * HEALTHY_SHARE) return
  const what = `only ${ok} of ${offered} quiet operations ended well in the warm-up`
  throw new Failure('environment', 'target-not-healthy', what, {
    fix: 'look at what the target answers to a single start of a quiet tenant, and at its limits',
  })
}

async function measured(
  options: RunOptions,
  pairsPlanned: number,
  folder: RunFolder,
  startedAt: Date,
  guard: Guard,
  cleaners: Array<() => Promise<unknown>>,
): Promise<RunResult> {
  const { scenario, runSeed } = options
  const tell = progressOf(options, pairsPlanned)
  tell('start', 0)
  const { target, quiet, noisy, redis, died } = await stand(options, guard, cleaners)
  const { loads } = plans(scenario, '')
  const rates = loads.map(({ ratePerSecond }) => ratePerSecond)
  const canaryKey = randomBytes(16).toString('hex')
  const canaries = new Canaries(canaryKey)
  const withCanary = (access: TenantAccess, owner: number) => fillCanary(access, canaries.mintFor(owner).mint())

  const sink = await startSink()
  cleaners.push(() => sink.stop())
  const generator = await startGenerator(
    {
      tenants: quiet,
      loads,
      runSeed,
      operationTimeoutMs: OPERATION_TIMEOUT_MS,
      canaryKey,
    },
    5000,
  )
  cleaners.push(() => generator.stop())
  const noisyFilled = withCanary(noisy, quiet.length)
  const { connections } = scenario.noise.api
  const apiTarget = { origin: noisy.origin, call: noisyFilled.start }
  const apiNoise = await startNoise({ kind: 'api', connections, target: apiTarget, sinkOrigin: sink.origin, canaryKey })
  cleaners.push(() => apiNoise.stop())
  const stream = noisyFilled.stream
  const streamNoise = stream ? await startNoise({ kind: 'stream', target: stream, sinkRedisUrl: sink.redisUrl }) : null
  if (streamNoise) cleaners.push(() => streamNoise.stop())
  const control = startControl(guard)

  const zeroNs = process.hrtime.bigint()
  const nowUs = () => Number(process.hrtime.bigint() - zeroNs) / 1000
  const labels = [...quiet, noisy].map(({ label }) => label)
  const labelOf = (owner: number) => labels[owner] ?? 'unknown'
  const prober = startProber(quiet, [...quiet, noisy], canaries, nowUs)
  // A block that is cut short does not come to its own end.
  cleaners.push(async () => prober.rest())
  const crew: Crew = {
    target,
    quiet,
    noisy,
    generator,
    apiNoise,
    streamNoise,
    sink,
    prober,
    folder,
    nowUs,
    labelOf,
    operationTimeoutMs: OPERATION_TIMEOUT_MS,
  }
  const blocks = new Blocks(crew, scenario)
  const cut = cutBy(died, options.signal)
  const within = <T>(work: Promise<T>): Promise<T> => Promise.race([work, cut])

  const blockFacts = () => ({ blocks: blocks.facts, noise: blocks.noise, noiseOrdered: blocks.ordered })

  const evidence = draft(options, target, quiet, redis, rates, pairsPlanned, startedAt)
  evidence.noisyTenant = noisy.label
  evidence.notApplicable = notApplicable(quiet, noisy)
  folder.append('histograms.hlog', logHead(startedAt.getTime()))
  generator.begin(zeroNs)
  let healthy = false
  try {
    tell('warm-up', 0)
    refuseUnhealthy(await within(blocks.warmUp()))
    refuseUnhealthy(await within(blocks.rehearse()))
    healthy = true
    await within(control.take())
    tell('silence', 0)
    for (let i = 0; i < scenario.blocks.silence; i++) await within(blocks.block('silence', null))
    await within(blocks.save())
    await pairs()
  } catch (error) {
    if (!(error instanceof Cut)) throw error
    if (!healthy && error.died) {
      throw new Failure(
        'environment',
        'target-died-early',
        `the target ended before the warm-up was over: ${error.died}`,
        {
          fix: "read the target's own log",
        },
      )
    }
    evidence.interrupted = error.died === null
    evidence.targetDied = error.died
    await blocks.saveCut(CUT_COLLECT_MS)
  }

  async function pairs(): Promise<void> {
    const noiseFirst = orderOfPairs(runSeed, pairsPlanned)
    for (let pair = 1; pair <= pairsPlanned; pair++) {
      let drained = true
      for (const arm of noiseFirst[pair - 1] ? (['noise', 'placebo'] as const) : (['placebo', 'noise'] as const)) {
        await within(blocks.block(arm, pair))
        drained = (await within(blocks.drain())) && drained
        if (!drained) break
      }
      await within(blocks.save())
      evidence.blocks = blocks.facts
      tell('pairs', pair, blocks)
      const dead = deadBlock(evidence)
      if (dead) {
        evidence.targetDied = dead
        return
      }
      if (!drained) {
        evidence.pairsEnded = `the noisy backlog of pair ${pair} outlived a drain of 3 blocks`
        return
      }
      if (decided(pair)) return
    }
  }

  /** A look: the evidence of this pair is on disk already, and is read from there. */
  function decided(pair: number): boolean {
    if (pair < 3) return false
    const input = judgeInput({ ...evidence, ...blockFacts() }, blocks.intervals, blocks.lines)
    const look = lookAt(input, pair)
    evidence.looks.push({ pair, outcome: look.outcome })
    return decides(look, input) || input.findings.some((f) => f.finding === 'broken')
  }

  tell('judge', evidence.looks.at(-1)?.pair ?? 0)
  Object.assign(evidence, blockFacts())
  const machine = await Promise.race([control.take(), new Promise<null>((resolve) => setTimeout(resolve, 500, null))])
  evidence.hiccups = [merged(blocks.generatorHiccups), ...(machine ? [{ who: 'control' as const, ...machine }] : [])]
  evidence.defectTrips = await target.trips()
  evidence.endedAt = new Date().toISOString()
  evidence.files = {
    'histograms.hlog': folder.digest('histograms.hlog'),
    'journal.ndjson': folder.digest('journal.ndjson'),
  }
  folder.write('evidence.json', `${JSON.stringify(evidence, null, 1)}\n`)
  const { verdict } = judgeFlood(folder.path)
  folder.write('verdict.json', verdictText(verdict))
  return { folder: folder.path, evidence, verdict }
}
