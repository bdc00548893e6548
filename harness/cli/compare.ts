// partywall compare: two saved runs beside each other, what changed and how sure that is. Exit code 0 whatever changed: it
// judges neither run.

import type { Comparison, Difference } from '../evidence/comparison.ts'
import { exitCodes, Failure } from '../failure.ts'
import { floodInput } from '../run/assemble.ts'
import { openFolder } from '../run/folder.ts'
import { compareRuns } from '../verdict/compare.ts'
import { judge } from '../verdict/judge.ts'
import { table } from './table.ts'

function read(folder: string) {
  const { evidence, text } = openFolder(folder)
  if (evidence.kind === 'acts') {
    throw new Failure('usage', 'not-comparable', `${folder} holds acts, which have no response times to compare`, {
      fix: 'give the folders of two floods, for instance of noisy-neighbour',
    })
  }
  const input = floodInput(evidence, text)
  return { evidence, input, verdict: judge(input) }
}

/** What makes the two runs different runs, before anything that was measured. */
function circumstances(a: ReturnType<typeof read>['evidence'], b: typeof a): string[] {
  const said = (what: string, x: unknown, y: unknown) => (x === y ? [] : [`${what}: ${x} and ${y}`])
  return [
    ...said('scenario', a.scenario, b.scenario),
    ...said('target', a.target, b.target),
    ...said('Partywall', a.partywall, b.partywall),
    ...said('cores', a.machine.cores, b.machine.cores),
    ...said('Node', a.machine.node, b.machine.node),
    ...said('Redis', a.stack.redis, b.stack.redis),
  ]
}

const figure = (value: number | null) => (value === null ? '–' : String(Number(value.toPrecision(3))))

function interval({ ratio, difference }: Difference): string {
  const found = ratio ?? difference
  if (!found) return '–'
  return `${difference && !ratio ? 'by ' : '×'}${figure(found.point)} (${figure(found.low)} to ${figure(found.high)})`
}

const rowOf = (d: Difference): string[] => [
  d.tenant,
  d.what,
  `${figure(d.a)} → ${figure(d.b)}${d.unit === 'ms' ? ' ms' : ''}`,
  interval(d),
  `${d.samples.a} and ${d.samples.b}`,
  d.changed,
]

function words(found: Comparison): string {
  const columns = ['tenant', 'what', 'first → second', `change (${100 * found.confidence} %)`, 'samples', 'changed']
  const findings = found.findings.map(({ probe, a, b }) => `  ${probe}: ${a} → ${b}\n`).join('')
  return `${table(columns, found.differences.map(rowOf))}\nverdicts: ${found.outcomes.a} → ${found.outcomes.b}\n${findings}`
}

export async function compareCommand(argv: { a: string; b: string; json: boolean }): Promise<number> {
  const [a, b] = [read(argv.a), read(argv.b)]
  const found = compareRuns(a, b)
  const differ = circumstances(a.evidence, b.evidence)
  if (argv.json) process.stdout.write(`${JSON.stringify({ circumstances: differ, ...found }, null, 2)}\n`)
  else {
    for (const line of differ) process.stderr.write(`the runs differ in their ${line}\n`)
    process.stderr.write(words(found))
  }
  return exitCodes.pass
}
