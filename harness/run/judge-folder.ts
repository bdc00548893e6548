// Judges any run's folder from its files alone: the way of `partywall judge`, and the last step of a run of acts.

import type { ActLine, ActsEvidence, ActsVerdict } from '../evidence/acts.ts'
import type { Evidence } from '../evidence/run.ts'
import type { Finding } from '../evidence/types.ts'
import type { Verdict } from '../evidence/verdict.ts'
import type { ActProbe } from '../probes/act-probe.ts'
import { actProbes } from '../probes/act-probes.ts'
import { judgeActs } from '../verdict/judge-acts.ts'
import { judgeFlood } from './assemble.ts'
import { openFolder } from './folder.ts'

/** @throws Failure usage when it is no run's folder or was altered */
export function judgeFolder(
  folder: string,
): { evidence: Evidence; verdict: Verdict } | { evidence: ActsEvidence; verdict: ActsVerdict } {
  const { evidence, text } = openFolder(folder)
  return evidence.kind === 'acts' ? judgeActsFolder(evidence, text) : judgeFlood(folder)
}

/** @param text a file of the run's folder */
export function judgeActsFolder(evidence: ActsEvidence, text: (name: string) => string) {
  const lines = text('journal.ndjson')
    .split('\n')
    .filter((line) => line !== '')
    .map((line): ActLine => JSON.parse(line))
  const asked = actProbes.filter((probe) => evidence.acts.some(({ name }) => name === probe.act))
  const findings = asked.map((probe) => ask(probe, evidence, lines))
  return { evidence, verdict: judgeActs(findings, evidence.targetDied, evidence.interrupted) }
}

function ask(probe: ActProbe, evidence: ActsEvidence, lines: readonly ActLine[]): Finding {
  const answered = (finding: Finding['finding'], reason: string): Finding => {
    return { probe: probe.name, finding, tenants: [], opportunities: 0, controls: 0, reason, witness: [] }
  }
  const act = evidence.acts.find(({ name }) => name === probe.act)
  if (act?.state === 'lacking') return answered('not-applicable', act.why)
  // What is missing because nobody looked must not be taken for what was lost.
  if (act?.state !== 'done') {
    return answered('inconclusive', `the act ${probe.act} did not come to its end: ${act?.why ?? 'it never began'}`)
  }
  try {
    return probe.judge(lines.filter((line) => line.act === probe.act))
  } catch (error) {
    return answered('inconclusive', `the probe failed: ${error instanceof Error ? error.message : String(error)}`)
  }
}
