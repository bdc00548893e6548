// From a run's files to what the judge is given. The run itself and `partywall judge` both come through here, so that
// the same evidence is judged the same way.

import { z } from 'zod'
import type { DwellObservation, Evidence, ProbeLine } from '../evidence/run.ts'
import type { Block, Finding, SecondWindow } from '../evidence/types.ts'
import type { Verdict } from '../evidence/verdict.ts'
import { probes } from '../probes/list.ts'
import type { Counts } from '../recording/counts.ts'
import { readLog } from '../recording/interval-log.ts'
import { readSeconds } from '../recording/second-log.ts'
import { starvationUs, type Waiting } from '../verdict/isolation.ts'
import { judge } from '../verdict/judge.ts'
import { asksAboutSeconds } from '../verdict/objectives.ts'
import type { JudgeInput } from '../verdict/types.ts'
import { openFolder } from './folder.ts'
import { preconditions } from './preconditions.ts'
import { blocksOf } from './recorder.ts'

const PROBE_LINES = new Set(['probe', 'received', 'sighting'])

function probeLines(journal: string): ProbeLine[] {
  const lines: ProbeLine[] = []
  for (const line of journal.split('\n')) {
    if (line === '' || line.startsWith('{"t":"op"')) continue
    const parsed = JSON.parse(line)
    if (PROBE_LINES.has(parsed.t)) lines.push(parsed)
  }
  return lines
}

/** @param intervals of the log, and lines of the journal, as they lie on disk */
export function judgeInput(
  evidence: Evidence,
  intervals: ReadonlyMap<string, Counts>,
  lines: readonly ProbeLine[],
): JudgeInput {
  const blocks = blocksOf(evidence.blocks, intervals)
  const quietTenants = evidence.quietTenants.map(({ label }) => label)
  return {
    runSeed: evidence.runSeed,
    quietTenants,
    objectives: evidence.objectives,
    pairsPlanned: evidence.pairsPlanned,
    blocks,
    findings: probes.map((probe) => notAsked(evidence, probe.name) ?? asked(probe, lines, quietTenants)),
    preconditions: preconditions(evidence, blocks, intervals),
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

/** Judges a flood's folder from its files alone. @throws Failure usage when it is no run's folder or was altered */
export function judgeFlood(folder: string): { evidence: Evidence; verdict: Verdict } {
  const { evidence, text } = openFolder(folder)
  if (evidence.kind === 'acts') throw new Error('a folder of acts was given to the judge of floods')
  return { evidence, verdict: judge(floodInput(evidence, text)) }
}

/** What the judge is given of a flood's folder. @param text a file of the run's folder */
export function floodInput(evidence: Evidence, text: (name: string) => string): JudgeInput {
  const journal = text('journal.ndjson')
  const log = text('histograms.hlog')
  const input = judgeInput(evidence, readLog(log), probeLines(journal))
  const blocks = asksAboutSeconds(evidence.objectives) ? withSeconds(input.blocks, readSeconds(log)) : input.blocks
  const dwell = { facts: evidence.dwell, observations: dwellLines(journal) }
  return { ...input, blocks, ...waits(evidence, journal), dwell }
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

function dwellLines(journal: string): DwellObservation[] {
  return journal
    .split('\n')
    .filter((line) => line.startsWith('{"t":"dwell"'))
    .map((line) => dwellLine.parse(JSON.parse(line)))
}

const dwellLine = z.object({
  t: z.literal('dwell'),
  tenant: z.string(),
  arm: z.enum(['silence', 'placebo', 'noise']),
  block: z.number(),
  run: z.string(),
  attempt: z.number(),
  queuedMs: z.number(),
  startedMs: z.number().nullable(),
})

const operation = z.looseObject({ tenant: z.string(), intendedUs: z.number(), endUs: z.number(), outcome: z.string() })

/** How long each tenant went without, from the journal's operations; over all that lies between first and last block. */
function waits(evidence: Evidence, journal: string): Pick<JudgeInput, 'starvation'> {
  const { blocks } = evidence
  if (blocks.length === 0) return {}
  const byTenant = new Map<string, Waiting[]>(evidence.quietTenants.map(({ label }) => [label, []]))
  for (const line of journal.split('\n')) {
    if (!line.startsWith('{"t":"op"')) continue
    const { tenant, intendedUs, endUs, outcome } = operation.parse(JSON.parse(line))
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
