// The sequence of a run of acts: stack and target up, the acts one after the other (those that mostly wait beside them,
// those that kill the target when nobody else plays), evidence to disk, judged from there, everything gone. Refuses to look at what the acts wrote.

import { acts } from '../acts/list.ts'
import { type Act, Stage, type StageParts } from '../acts/stage.ts'
import type { ActFacts, ActLine, ActsEvidence, ActsVerdict } from '../evidence/acts.ts'
import { type Guard, openGuard } from '../stack/guard.ts'
import { Caller } from '../target/caller.ts'
import { CanaryBook } from '../tenants/canary-book.ts'
import { Cut, cutBy } from './cut.ts'
import { machineFacts } from './draft.ts'
import { openFolder, RunFolder, verdictText } from './folder.ts'
import { judgeActsFolder } from './judge-folder.ts'
import type { ActsOptions } from './options.ts'
import { standTarget } from './stand.ts'

export interface ActsResult {
  folder: string
  evidence: ActsEvidence
  verdict: ActsVerdict
}

type Cleaner = () => Promise<unknown>

export async function runActs(options: ActsOptions): Promise<ActsResult> {
  const startedAt = new Date()
  const guard = await openGuard()
  const cleaners: Cleaner[] = [() => guard.close()]
  let folder: RunFolder | null = null
  try {
    folder = RunFolder.create(options.out, options.scenario.scenario, startedAt, (unfinished) => {
      guard.watch(unfinished)
    })
    return await played(options, folder, startedAt, guard, cleaners)
  } catch (error) {
    folder?.discard()
    throw error
  } finally {
    for (const clean of cleaners.reverse()) await clean().catch(() => {})
  }
}

/** One act from its beginning to its end; what it could not finish is said in its facts. */
async function play(act: Act, slots: number, parts: StageParts, cut: Promise<never>): Promise<ActFacts> {
  const startedUs = Math.round(parts.nowUs())
  const facts = (state: ActFacts['state'], why = ''): ActFacts => {
    return { name: act.name, startedUs, endedUs: Math.round(parts.nowUs()), state, why }
  }
  const lacks = act.needs.filter((need) => !parts.target.capabilities.has(need))
  if (lacks.length > 0) return facts('lacking', `the target does not offer ${lacks.join(', ')}`)
  const { slots: wanted = 1 } = act
  if (slots < wanted) return facts('lacking', `the scenario has ${slots} slots, and this act wants ${wanted}`)
  const stage = new Stage(act.name, parts)
  const playing = act.play(stage)
  playing.catch(() => {})
  try {
    await Promise.race([playing, cut])
    return facts('done')
  } catch (error) {
    if (error instanceof Cut) return facts('cut', error.message)
    return facts('cut', parts.signal.aborted ? 'interrupted' : error instanceof Error ? error.message : String(error))
  } finally {
    await stage.leave()
  }
}

async function played(
  options: ActsOptions,
  folder: RunFolder,
  startedAt: Date,
  guard: Guard,
  cleaners: Cleaner[],
): Promise<ActsResult> {
  const { scenario, signal } = options
  const { target, tag, redis, died } = await standTarget(options, guard, cleaners, scenario.slots)
  const zeroNs = process.hrtime.bigint()
  const nowUs = () => Number(process.hrtime.bigint() - zeroNs) / 1000
  const caller = new Caller(nowUs)
  cleaners.push(() => caller.close())
  const lines: ActLine[] = []
  const parts: StageParts = {
    target,
    caller,
    tag,
    nowUs,
    canaries: new CanaryBook(),
    write: (line) => void lines.push(line),
    signal,
  }
  let targetDied: string | null = null
  void died.then((reason) => {
    targetDied = reason
  })
  const cut = cutBy(died, signal)
  const done: ActFacts[] = []
  const one = async (act: Act) => {
    options.onAct(`${act.name} begins`)
    const facts = await play(act, scenario.slots, parts, cut)
    options.onAct(`${act.name}: ${facts.state}${facts.why === '' ? '' : `, ${facts.why}`}`)
    done.push(facts)
  }
  const { beside, inTurn, alone } = partsOf(scenario.acts)
  const turns = async (some: readonly Act[]) => {
    for (const act of some) if (!signal.aborted && targetDied === null) await one(act)
  }
  await Promise.all([...beside.map(one), turns(inTurn)])
  await turns(alone)
  const evidence: ActsEvidence = {
    version: 1,
    kind: 'acts',
    scenario: scenario.scenario,
    question: scenario.question,
    target: target.name,
    defect: options.target.kind === 'reference' ? options.target.defect : null,
    defectTrips: await target.trips(),
    runSeed: options.runSeed,
    startedAt: startedAt.toISOString(),
    endedAt: new Date().toISOString(),
    interrupted: signal.aborted,
    ...machineFacts(),
    stack: { redis },
    slots: scenario.slots,
    acts: scenario.acts.map((name) => done.find((facts) => facts.name === name) ?? neverBegan(name)),
    targetDied,
    files: {},
  }
  folder.append('journal.ndjson', lines.map((line) => `${JSON.stringify(line)}\n`).join(''))
  evidence.files = { 'journal.ndjson': folder.digest('journal.ndjson') }
  folder.write('evidence.json', `${JSON.stringify(evidence, null, 1)}\n`)
  const { verdict } = judgeActsFolder(evidence, openFolder(folder.path).text)
  folder.write('verdict.json', verdictText(verdict))
  return { folder: folder.path, evidence, verdict }
}

/** Who plays beside whom: an act that kills the target would cut those beside it. */
export function partsOf(names: readonly string[]): { beside: Act[]; inTurn: Act[]; alone: Act[] } {
  const asked = names.flatMap((name) => acts.filter((act) => act.name === name))
  const kills = ({ needs }: Act) => needs.includes('crash')
  return {
    beside: asked.filter((act) => act.beside),
    inTurn: asked.filter((act) => !act.beside && !kills(act)),
    alone: asked.filter(kills),
  }
}

const neverBegan = (name: string): ActFacts => {
  return { name, startedUs: 0, endedUs: 0, state: 'cut', why: 'it never began' }
}
