// The sequence of a run: provision, warm up, blocks, drain, judge, save, clean. One way, no back and forth.

import { randomBytes } from 'node:crypto'
import type { Evidence } from '../evidence/run.ts'
import type { Verdict } from '../evidence/verdict.ts'
import { Failure } from '../failure.ts'
import { logHead } from '../recording/interval-log.ts'
import { type Guard, openGuard } from '../stack/guard.ts'
import { judgeFlood } from './assemble.ts'
import { Blocks, type Wellness } from './blocks.ts'
import { type Crew, startCrew } from './crew.ts'
import { Cut, cutBy } from './cut.ts'
import { draft, merged, notApplicable, pairsIn } from './draft.ts'
import { RunFolder, verdictText } from './folder.ts'
import { inspect } from './inspect.ts'
import { type Instruments, sound } from './instruments.ts'
import { plannedPairs, type RunOptions } from './options.ts'
import { collected, Pairs } from './pairs.ts'
import { type Progress, progressOf } from './progress.ts'
import { plans, type Stand, stand } from './stand.ts'

export interface RunResult {
  folder: string
  evidence: Evidence
  verdict: Verdict
}

const CUT_COLLECT_MS = 1000
const CONTROL_WITHIN_MS = 1000
const HEALTHY_SHARE = 0.95

interface Run {
  options: RunOptions
  instruments: Instruments
  pairsPlanned: number
  folder: RunFolder
  startedAt: Date
  guard: Guard
  cleaners: Array<() => Promise<unknown>>
  tell(phase: Progress['phase'], pair: number, seen?: Blocks): void
}

/** Runs a scenario; the folder holds the evidence before the verdict is formed. Everything started is gone at the end. */
export async function runScenario(options: RunOptions): Promise<RunResult> {
  const pairsPlanned = plannedPairs(options.scenario, options.budgetS)
  const instruments = options.instruments ?? sound
  const startedAt = new Date()
  const guard = await openGuard()
  const cleaners: Array<() => Promise<unknown>> = [() => guard.close()]
  let folder: RunFolder | null = null
  try {
    folder = RunFolder.create(options.out, options.scenario.scenario, startedAt, (unfinished) =>
      guard.watch(unfinished),
    )
    const tell = progressOf(options, pairsPlanned)
    const evidence = await measured({ options, instruments, pairsPlanned, folder, startedAt, guard, cleaners, tell })
    const { verdict } = judgeFlood(folder.path, instruments.judge)
    folder.write('verdict.json', verdictText(verdict))
    return { folder: folder.path, evidence, verdict }
  } catch (error) {
    if (folder?.discard()) options.onKept?.(folder.path)
    throw error
  } finally {
    for (const clean of cleaners.reverse()) await clean().catch(() => {})
  }
}

/** Before any noise: a target that is not well by itself cannot be judged. */
function refuseUnhealthy({ ok, offered }: Wellness): void {
  if (ok >= offered * HEALTHY_SHARE) return
  const what = `only ${ok} of ${offered} quiet operations ended well in the warm-up`
  throw new Failure('environment', 'target-not-healthy', what, {
    fix: 'look at what the target answers to a single start of a quiet tenant, and at its limits',
  })
}

/** From nothing to evidence on disk. */
async function measured(run: Run): Promise<Evidence> {
  const { options, folder, startedAt, guard, cleaners, tell } = run
  tell('start', 0)
  const standing = await stand(options, guard, cleaners)
  folder.append('histograms.hlog', logHead(startedAt.getTime()))
  const crew = await startCrew({ options, standing, folder, guard, cleaners })
  const evidence = drafted(run, standing, crew)
  const blocks = new Blocks(crew, options.scenario, {
    nonce: evidence.selfChecks.nonce,
    record: run.instruments.record,
  })
  try {
    await played(run, evidence, blocks, crew, standing.died)
    tell('judge', evidence.looks.at(-1)?.pair ?? 0)
    evidence.defectTrips = await standing.target.trips()
    await save(folder, evidence, blocks, crew)
  } catch (error) {
    // Without one pair there is nothing that could be judged.
    if (pairsIn(blocks.facts) > 0) await saveBroken(folder, evidence, blocks, crew, error)
    throw error
  }
  return evidence
}

function drafted({ options, pairsPlanned, startedAt }: Run, standing: Stand, crew: Crew): Evidence {
  const { target, quiet, noisy, redis } = standing
  const { noise, inspected } = crew
  const evidence = draft(options, target, quiet, redis, plans(options.scenario, '').loads, pairsPlanned, startedAt)
  const nonce = randomBytes(8).toString('hex')
  const selfChecks = {
    ...evidence.selfChecks,
    ...inspect({ ...inspected, tenants: [...crew.quiet, crew.noisy] }, nonce),
  }
  return {
    ...evidence,
    selfChecks,
    noisePlanned: noise.planned,
    noisyTenant: noisy.label,
    notApplicable: [...noise.notApplicable, ...notApplicable(quiet)],
  }
}

/** Warm-up and pairs, or as much of them as there is time and a target for. */
async function played(run: Run, evidence: Evidence, blocks: Blocks, crew: Crew, died: Promise<string>): Promise<void> {
  const { options, tell } = run
  const { silence } = options.scenario.blocks
  const cut = cutBy(died, options.signal)
  const within = <T>(work: Promise<T>): Promise<T> => Promise.race([work, cut, crew.failed])
  const onPair = (pair: number) => tell('pairs', pair, blocks)
  const parts = { evidence, blocks, crew, silence, budgetS: options.budgetS, within, onPair }
  let healthy = false
  try {
    tell('warm-up', 0)
    // A noise maker that stumbles is not asked yet: the first thing to say of an unwell target is that it is unwell.
    refuseUnhealthy(await Promise.race([blocks.warmUp(), cut]))
    // From here on the noise may have done it: whatever becomes of the target is judged.
    healthy = true
    evidence.rehearsed = await within(blocks.rehearse())
    const gone = await within(blocks.gone())
    if (gone !== null) throw new Cut(gone)
    await within(crew.control.take(CONTROL_WITHIN_MS))
    tell('silence', 0)
    await new Pairs(parts).measure()
    evidence.dwell = await within(blocks.dwell())
  } catch (error) {
    if (!healthy && error instanceof Cut && error.died !== null) throw diedEarly(error.died)
    const by = error instanceof Cut ? error : await deathBehind(error, healthy, blocks, died)
    evidence.interrupted = by.died === null
    evidence.targetDied = by.died
    await blocks.saveCut(CUT_COLLECT_MS)
  }
}

/** A noise maker may stumble over the end of its target; then that is what happened. @throws the error itself otherwise */
async function deathBehind(error: unknown, healthy: boolean, blocks: Blocks, died: Promise<string>): Promise<Cut> {
  const gone = healthy ? await blocks.gone().catch(() => null) : null
  if (gone === null) throw error
  // What its process said of its end tells more, where there is a process that we know.
  return new Cut(await Promise.race([died, Promise.resolve(gone)]))
}

function diedEarly(reason: string): Failure {
  const what = `the target ended before it was seen to be well: ${reason}`
  return new Failure('environment', 'target-died-early', what, { fix: "read the target's own log" })
}

async function save(folder: RunFolder, evidence: Evidence, blocks: Blocks, crew: Crew): Promise<void> {
  Object.assign(evidence, collected(evidence, blocks, crew))
  const tally = (await crew.control.take(CONTROL_WITHIN_MS)) ?? { samples: 0, p99Us: 0, maxUs: 0 }
  evidence.hiccups = [merged(blocks.generatorHiccups), { who: 'control', ...tally }]
  evidence.endedAt = new Date().toISOString()
  evidence.files = {
    'histograms.hlog': folder.digest('histograms.hlog'),
    'journal.ndjson': folder.digest('journal.ndjson'),
  }
  folder.write('evidence.json', `${JSON.stringify(evidence, null, 1)}\n`)
}

/** What was measured before an error is worth as much as it was; the error is told all the same, and by the caller. */
async function saveBroken(
  folder: RunFolder,
  evidence: Evidence,
  blocks: Blocks,
  crew: Crew,
  error: unknown,
): Promise<void> {
  const why = error instanceof Error ? error.message : String(error)
  evidence.brokeOff = why
  evidence.pairsEnded ??= `the run broke off: ${why}`
  try {
    await save(folder, evidence, blocks, crew)
  } catch {
    // Where nothing can be written any more nothing is kept.
  }
}
