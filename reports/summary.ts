// A finished run in Markdown: evidence and verdict in, text out. No I/O.

import type { Evidence } from '../harness/evidence/run.ts'
import type { Verdict } from '../harness/evidence/verdict.ts'
import { interferenceSummary } from './interference-summary.ts'
import { objectiveColumns, objectiveRows } from './objectives.ts'

const markdown = (head: string[], body: string[][]) =>
  [head, head.map(() => '---'), ...body].map((row) => `| ${row.join(' | ')} |`)

const ms = (value: number | null) => (value === null ? '–' : value.toFixed(1))

/** One row per quiet tenant: the same figures on the terminal and in the summary. */
export const columns = [
  'tenant',
  'samples',
  'placebo p50/p99/p99.9 ms',
  'noise p50/p99/p99.9 ms',
  'p99 ratio (95 %)',
  'success',
  'findings',
  'verdict',
]

export function rows(verdict: Verdict): string[][] {
  return verdict.tenants.map((t) => [
    t.tenant,
    `${t.samples.placebo} + ${t.samples.noise}`,
    [t.placebo.p50Ms, t.placebo.p99Ms, t.placebo.p999Ms].map(ms).join(' / '),
    [t.noise.p50Ms, t.noise.p99Ms, t.noise.p999Ms].map(ms).join(' / '),
    t.ratio ? `${t.ratio.point.toFixed(2)} (${t.ratio.low.toFixed(2)}–${t.ratio.high.toFixed(2)})` : '–',
    `${(t.successRatio.point * 100).toFixed(2)} %`,
    brokenFor(verdict, t.tenant),
    t.outcome,
  ])
}

function brokenFor(verdict: Verdict, tenant: string): string {
  const broken = verdict.findings.filter((f) => f.finding === 'broken' && f.tenants.includes(tenant))
  return broken.length === 0 ? '0 broken' : broken.map((f) => f.probe).join(', ')
}

/** What the run says of its seeded defect, beside its verdict; null without one. */
export function defectLine(evidence: Pick<Evidence, 'defect' | 'defectTrips'>): string | null {
  if (evidence.defect === null) return null
  const { defect, defectTrips } = evidence
  return defectTrips
    ? `seeded defect ${defect}: tripped ${defectTrips} times`
    : `seeded defect ${defect}: NEVER TRIPPED, so this verdict says nothing about it`
}

export function summary(evidence: Evidence, verdict: Verdict): string {
  const { placebo, noise } = evidence.noise
  const defect = defectLine(evidence)
  return [
    `# ${evidence.scenario}: ${verdict.outcome}`,
    '',
    evidence.question,
    '',
    ...verdict.reasons.map((reason) => `- ${reason}`),
    ...(defect ? [`- ${defect}`] : []),
    '',
    ...markdown(columns, rows(verdict)),
    '',
    '## Objectives under noise',
    '',
    'Bounds are one-sided, with their confidence: a pass must hold for each objective by itself, the error of a fail is shared between all of them. A maximum has none.',
    '',
    ...markdown(objectiveColumns, objectiveRows(verdict)),
    '',
    '## Reasons by tenant',
    '',
    ...verdict.tenants.flatMap((t) => [
      `**${t.tenant}: ${t.outcome}**`,
      '',
      ...t.reasons.map((reason) => `- ${reason}`),
      '',
    ]),
    ...interferenceSummary(verdict.isolation),
    '## Findings',
    '',
    ...verdict.findings.map(
      (f) => `- ${f.probe}: ${f.finding}. ${f.reason}${f.witness.map((w) => `\n  - ${w.what}`).join('')}`,
    ),
    ...evidence.notApplicable.map(({ what, why }) => `- ${what}: not applicable. ${why}`),
    '',
    '## Preconditions',
    '',
    ...verdict.preconditions.map((p) => `- ${p.held ? 'held' : 'NOT HELD'}: ${p.name}. ${p.detail}`),
    '',
    '## Run',
    '',
    `- target ${evidence.target}; Redis: ${evidence.stack.redis}; run seed ${evidence.runSeed}`,
    `- ${evidence.startedAt} to ${evidence.endedAt}, ${evidence.machine.cores} cores, ${evidence.machine.platform}, Node ${evidence.machine.node}`,
    `- noise: ${noise.apiSent} requests (${noise.apiRefused} refused) and ${noise.streamSent} stream entries at the ${evidence.noiseTo === 'sink' ? 'placebo sink (an A/A run)' : 'target'}; ${placebo.apiSent} and ${placebo.streamSent} at the placebo sink`,
    `- pairs: ${verdict.interference.pairs} of ${verdict.interference.pairsPlanned}; looks: ${evidence.looks.length}`,
    '',
  ].join('\n')
}
