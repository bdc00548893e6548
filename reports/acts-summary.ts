// A finished run of acts in Markdown and as a table: evidence and verdict in, text out. No I/O.

import type { ActsEvidence, ActsVerdict } from '../harness/evidence/acts.ts'
import { defectLine } from './summary.ts'

export const actColumns = ['probe', 'finding', 'asked', 'controls']

export function actRows(verdict: ActsVerdict): string[][] {
  return verdict.findings.map((f) => [f.probe, f.finding, String(f.opportunities), String(f.controls)])
}

export function actsSummary(evidence: ActsEvidence, verdict: ActsVerdict): string {
  const defect = defectLine(evidence)
  const { machine } = evidence
  return [
    `# ${evidence.scenario}: ${verdict.outcome}`,
    '',
    evidence.question,
    '',
    ...verdict.reasons.map((reason) => `- ${reason}`),
    ...(defect ? [`- ${defect}`] : []),
    '',
    ...[actColumns, actColumns.map(() => '---'), ...actRows(verdict)].map((row) => `| ${row.join(' | ')} |`),
    '',
    '## Findings',
    '',
    ...verdict.findings.map(
      (f) => `- ${f.probe}: ${f.finding}. ${f.reason}${f.witness.map((w) => `\n  - ${w.what}`).join('')}`,
    ),
    '',
    '## Run',
    '',
    `- target ${evidence.target}, ${evidence.slots} runs at a time; Redis: ${evidence.stack.redis}; run seed ${evidence.runSeed}`,
    `- ${evidence.startedAt} to ${evidence.endedAt}, ${machine.cores} cores, ${machine.platform}, Node ${machine.node}`,
    ...evidence.acts.map(({ name, state, why, startedUs, endedUs }) => {
      const seconds = ((endedUs - startedUs) / 1e6).toFixed(1)
      return `- act ${name}: ${state}${why === '' ? '' : ` (${why})`}, ${seconds} s`
    }),
    '',
  ].join('\n')
}
