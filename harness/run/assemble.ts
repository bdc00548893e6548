// From a run's files to what the judge is given. The run itself and `partywall judge` both come through here, so that
// the same evidence is judged the same way.

import type { Evidence, ProbeLine } from '../evidence/run.ts'
import type { Block, Finding, SecondWindow } from '../evidence/types.ts'
import type { Verdict } from '../evidence/verdict.ts'
import { probes } from '../probes/list.ts'
import type { Counts } from '../recording/counts.ts'
import { partsOfLog, readLog } from '../recording/interval-log.ts'
import { readSeconds } from '../recording/second-log.ts'
import { starvationUs, type Waiting } from '../verdict/isolation.ts'
import { judge as soundJudge } from '../verdict/judge.ts'
import { asksAboutSeconds } from '../verdict/objectives.ts'
import type { JudgeInput } from '../verdict/types.ts'
import { doubted } from './doubts.ts'
import { openFolder } from './folder.ts'
import { type Journal, readJournal } from './journal.ts'
import { preconditions } from './preconditions.ts'
import { blocksOf } from './recorder.ts'
import { recount } from './recount.ts'
import { secondOpinion } from './second-opinion.ts'
import { selfChecks } from './self-checks.ts'

/** @param intervals of the log, and lines of the journal, as they lie on disk */
export function judgeInput(
  evidence: Evidence,
  intervals: ReadonlyMap<string, Counts>,
  lines: readonly ProbeLine[],
): JudgeInput {
  const blocks = blocksOf(evidence.blocks, intervals)
  const quietTenants = evidence.quietTenants.map(({ label }) => label)
  const findings = probes.map((probe) => notAsked(evidence, probe.name) ?? asked(probe, lines, quietTenants))
  return {
    runSeed: evidence.runSeed,
    quietTenants,
    objectives: evidence.objectives,
    pairsPlanned: evidence.pairsPlanned,
    blocks,
    findings: findings.map((finding) => doubted(finding, evidence.selfChecks)),
    preconditions: [...preconditions(evidence, blocks, intervals), ...selfChecks(evidence, lines)],
    targetDied: evidence.targetDied,
    pairsEnded: evidence.interrupted ? 'the run was interrupted' : evidence.pairsEnded,
    timeoutMs: evidence.operationTimeoutMs,
    looksTaken: evidence.looks,
    noiseTo: evidence.noiseTo ?? 'target',
    ...noiseRate(evidence),
  }
}

function noiseRate({ blocks, noise, noiseTo }: Evidence): Pick<JudgeInput, 'noisePerSecond'> {
  if (noiseTo === 'sink') return {}
  const seconds = blocks
    .filter(({ arm }) => arm === 'noise')
    .reduce((sum, { startUs, endUs }) => sum + (endUs - startUs) / 1e6, 0)
  return seconds === 0 ? {} : { noisePerSecond: (noise.noise.apiSent + noise.noise.streamSent) / seconds }
}

/** A probe that the target has no way to answer. It never counts as a pass. */
function notAsked(evidence: Evidence, probe: string): Finding | null {
  const why = evidence.notApplicable.find(({ what }) => what === probe)?.why
  return why === undefined ? null : empty(probe, 'not-applicable', why)
}

/** A probe that throws has shown nothing, and takes nothing else with it. */
export function asked(
  probe: { name: string; judge(lines: readonly ProbeLine[], quietTenants: readonly string[]): Finding },
  lines: readonly ProbeLine[],
  quietTenants: readonly string[],
): Finding {
  try {
    return probe.judge(lines, quietTenants)
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    return empty(probe.name, 'inconclusive', `the probe failed: ${why}`)
  }
}

function empty(probe: string, finding: Finding['finding'], reason: string): Finding {
  return { probe, finding, tenants: [], opportunities: 0, controls: 0, reason, witness: [] }
}

/**
 * Judges a flood's folder from its files alone.
 * @param judge another one than the sound one, in a test of what becomes of a broken one's verdict
 * @throws Failure usage when it is no run's folder or was altered
 */
export function judgeFlood(folder: string, judge = soundJudge): { evidence: Evidence; verdict: Verdict } {
  const { evidence, text } = openFolder(folder)
  if (evidence.kind === 'acts') throw new Error('a folder of acts was given to the judge of floods')
  const { input, journal } = inputOf(evidence, text)
  return { evidence, verdict: secondOpinion(judge(input), input, journal.operations) }
}

/** What the judge is given of a flood's folder. @param text a file of the run's folder */
export const floodInput = (evidence: Evidence, text: (name: string) => string): JudgeInput =>
  inputOf(evidence, text).input

function inputOf(evidence: Evidence, text: (name: string) => string): { input: JudgeInput; journal: Journal } {
  const journal = readJournal(text('journal.ndjson'))
  const log = text('histograms.hlog')
  const intervals = readLog(log)
  const input = judgeInput(evidence, intervals, journal.probeLines)
  const blocks = asksAboutSeconds(evidence.objectives) ? withSeconds(input.blocks, readSeconds(log)) : input.blocks
  const counted = recount(evidence, journal, { intervals, nonces: partsOfLog(log) })
  const all = [...input.preconditions, ...counted]
  const dwell = { facts: evidence.dwell, observations: journal.dwell }
  return { input: { ...input, blocks, preconditions: all, ...waits(evidence, journal), dwell }, journal }
}

/** Only a window that was cut has operations of which nobody knows; those of others were waited for in vain. */
function withSeconds(blocks: readonly Block[], seconds: ReadonlyMap<string, SecondWindow[]>): Block[] {
  return blocks.map((block) => {
    const tenants = block.tenants.map((window) => {
      const own = seconds.get(`${window.tenant}/${block.arm}/${block.index}`) ?? []
      return { ...window, seconds: window.cut ? own : own.map((second) => ({ ...second, open: 0 })) }
    })
    return { ...block, tenants }
  })
}

/** How long each tenant went without, from the journal's operations; over all that lies between first and last block. */
function waits({ blocks, quietTenants }: Evidence, { operations }: Journal): Pick<JudgeInput, 'starvation'> {
  if (blocks.length === 0) return {}
  const byTenant = new Map<string, Waiting[]>(quietTenants.map(({ label }) => [label, []]))
  for (const { tenant, intendedUs, endUs, outcome } of operations) {
    byTenant.get(tenant)?.push({ intendedUs, endUs: outcome === 'ok' ? endUs : null })
  }
  const fromUs = Math.min(...blocks.map(({ startUs }) => startUs))
  const toUs = Math.max(...blocks.map(({ endUs }) => endUs))
  const tenants = [...byTenant].map(([tenant, all]) => {
    const operations = all.filter(({ intendedUs }) => intendedUs >= fromUs && intendedUs < toUs)
    return { tenant, ms: Math.round(starvationUs(all, fromUs, toUs)) / 1000, operations: operations.length }
  })
  return { starvation: { overSeconds: (toUs - fromUs) / 1e6, tenants } }
}
