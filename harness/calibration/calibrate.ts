// Runs the seeded defects, each with what has to catch it, and the same things once without any: the clean twin. Refuses to
// try again: what is seen is what is said.

import { join } from 'node:path'
import { acts as allActs } from '../acts/list.ts'
import { Failure } from '../failure.ts'
import { runActs } from '../run/acts.ts'
import { runScenario } from '../run/sequence.ts'
import { loadScenario } from '../scenario/load.ts'
import type { ActsScenario, Scenario } from '../scenario/schema.ts'
import { type Expected, expected } from './expected.ts'
import { type CleanRow, cleanResult, type DefectRow, type Matrix, resultOf, type Shown } from './matrix.ts'

export interface CalibrateOptions {
  /** As the second door lists them; only these are run. */
  defects: ReadonlyArray<{ name: string; id: string }>
  /** Where the folders of the runs go. */
  folder: string
  runSeed: number
  signal: AbortSignal
  onStep(words: string): void
}

const SLOTS = 8
/** Measured time of a flood, seconds, silence and drains included: 8 pairs. The defects that it has to catch are gross. */
const FLOOD_BUDGET_S = 23

interface Ran {
  shown: Shown[]
  /** Null where the run never began. */
  trips: number | null
  interrupted: boolean
  /** Why nothing was asked. */
  why?: string
}

const slotsOf = (act: string): number => allActs.find(({ name }) => name === act)?.slots ?? SLOTS

const actsOf = (acts: string[]): ActsScenario => ({
  kind: 'acts',
  scenario: 'calibration',
  question: 'Is a seeded defect seen, and nothing where there is none?',
  slots: Math.max(...acts.map(slotsOf)),
  acts,
})

/**
 * The default flood, with fewer and longer runs: it has to fill the places of a target that gives them to whoever asks, and
 * not the machine, and what it leaves behind has to be gone within a few blocks. 500 runs/s of 40 ms want 20 places of 16.
 */
function floodOf(): Scenario {
  const scenario = loadScenario('noisy-neighbour')
  if (scenario.kind === 'acts') throw new Error('the default scenario is a flood')
  return {
    ...scenario,
    tenants: scenario.tenants.map((tenant) => (tenant.role === 'noisy' ? { ...tenant, stepMs: 40 } : tenant)),
    noise: { api: { requestsPerSecond: 100, connections: 100 }, stream: { entriesPerSecond: 400 } },
  }
}

async function runOnce(
  options: CalibrateOptions,
  defect: string | null,
  acts: string[] | 'flood',
  out: string,
): Promise<Ran> {
  const { runSeed, signal } = options
  const common = { target: { kind: 'reference' as const, defect }, runSeed, signal, out }
  if (acts === 'flood') {
    const { evidence, verdict } = await runScenario({
      ...common,
      scenario: floodOf(),
      budgetS: FLOOD_BUDGET_S,
      onProgress: () => {},
    })
    const { outcome } = verdict.interference
    const finding = outcome === 'fail' ? 'broken' : outcome === 'pass' ? 'held' : 'inconclusive'
    const reason = verdict.reasons.find((words) => words.startsWith('interference')) ?? ''
    const shown = [...verdict.findings, { probe: 'interference', finding, reason } as const]
    return { shown, trips: evidence.defectTrips ?? 0, interrupted: evidence.interrupted }
  }
  const { evidence, verdict } = await runActs({ ...common, scenario: actsOf(acts), onAct: () => {} })
  return { shown: verdict.findings, trips: evidence.defectTrips ?? 0, interrupted: evidence.interrupted }
}

/**
 * A target that answers too badly for its run to begin, as a defect or a busy machine may have it, leaves the others to be
 * asked: its row says why.
 */
async function runOrSay(
  options: CalibrateOptions,
  defect: string | null,
  acts: string[] | 'flood',
  out: string,
): Promise<Ran> {
  try {
    return await runOnce(options, defect, acts, out)
  } catch (error) {
    if (!(error instanceof Failure) || error.kind !== 'environment') throw error
    // Without a defect, only a busy machine is no reason to give up: a stack that does not come up is one.
    if (defect === null && error.code !== 'target-not-healthy') throw error
    return { shown: [], trips: null, interrupted: false, why: error.message }
  }
}

async function cleanTwin(
  options: CalibrateOptions,
  acts: string[] | 'flood',
): Promise<CleanRow & { interrupted: boolean }> {
  const what = acts === 'flood' ? 'the flood' : acts.join(' ')
  const wide = acts !== 'flood' && acts.some((act) => slotsOf(act) !== SLOTS)
  const name = acts === 'flood' ? 'clean-flood' : wide ? `clean-acts-${acts.join('-')}` : 'clean-acts'
  options.onStep(`without a defect: ${what}`)
  const ran = await runOrSay(options, null, acts, join(options.folder, name))
  // A short flood may well leave response times undecided; that is no finding about the probes.
  const shown =
    acts === 'flood' ? ran.shown.filter((f) => f.probe !== 'interference' || f.finding === 'broken') : ran.shown
  return { what, ...cleanResult(shown, ran.why), folder: name, interrupted: ran.interrupted }
}

export async function calibrate(options: CalibrateOptions): Promise<Matrix> {
  const matrix: Matrix = { interrupted: false, defects: [], clean: [] }
  const asked = options.defects.flatMap(({ id, name }) => expectedOf(name).map((e) => ({ id, name, expected: e })))
  const acts = [...new Set(asked.flatMap(({ expected: e }) => (e.in === 'act' ? [e.act] : [])))]
  // Slots are the target's, for a whole run: acts that want the same number share a twin.
  const twins: Array<string[] | 'flood'> = [...Map.groupBy(acts, slotsOf).values()]
  if (asked.some(({ expected: e }) => e.in === 'flood')) twins.push('flood')
  for (const twin of twins) {
    const { interrupted, ...row } = await cleanTwin(options, twin)
    if (interrupted) return { ...matrix, interrupted }
    options.onStep(
      `  ${row.result}${row.broken.length + row.undecided.length > 0 ? `: ${[...row.broken, ...row.undecided].join(', ')}` : ''}`,
    )
    matrix.clean.push(row)
  }
  const folders = new Set<string>()
  for (const { id, name, expected: e } of asked) {
    const folder = folders.has(name) ? `${name}-${e.in === 'act' ? e.act : 'flood'}` : name
    folders.add(name)
    options.onStep(`${id} ${name}: ${e.in === 'act' ? `act ${e.act}` : 'the flood'}, must break ${e.probe}`)
    const ran = await runOrSay(options, name, e.in === 'act' ? [e.act] : 'flood', join(options.folder, folder))
    if (ran.interrupted) return { ...matrix, interrupted: true }
    const row = rowOf(id, e, ran, folder)
    options.onStep(`  ${row.result}, tripped ${row.trips ?? 'unknown'} times. ${row.reason}`)
    matrix.defects.push(row)
  }
  return matrix
}

function expectedOf(name: string): Expected[] {
  const found = expected.filter(({ defect }) => defect === name)
  if (found.length === 0) throw new Error(`nobody says what has to catch the seeded defect ${name}`)
  return found
}

function rowOf(
  id: string,
  { defect, probe }: Expected,
  { shown, trips, why = 'it was not asked' }: Ran,
  folder: string,
): DefectRow {
  const alsoBroken = shown.filter((f) => f.finding === 'broken' && f.probe !== probe).map((f) => f.probe)
  const reason = shown.find((f) => f.probe === probe)?.reason ?? why
  return { id, defect, probe, result: resultOf(shown, probe, trips), trips, reason, alsoBroken, folder }
}
