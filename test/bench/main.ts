// Runs one benchmark by its name, with its peers side by side, and prints what it found. Refuses a name that it does not
// know, with the choices, and exit code 2.

import { parseArgs, styleText } from 'node:util'
import { aaBench } from './aa.ts'
import { engineBench } from './engine.ts'
import type { Bench, Figure, Table } from './figures.ts'
import { generatorBench } from './generator.ts'
import { pathologyBench } from './pathology.ts'
import { recordingBench } from './recording.ts'
import { streamFloodBench } from './stream-flood.ts'
import { verdictBench } from './verdict.ts'

const benches: readonly Bench[] = [
  aaBench,
  engineBench,
  generatorBench,
  pathologyBench,
  recordingBench,
  streamFloodBench,
  verdictBench,
]

function rowsOf(figures: readonly Figure[]): string[][] {
  const text = (value: number | null) => (value === null ? '-' : Number(value.toPrecision(4)).toLocaleString('en'))
  const rows = figures.map(({ name, unit, ours, peer, ratio, rounds, spread }) => {
    return [name, unit, text(ours), text(peer), text(ratio), String(rounds), spread]
  })
  return [['figure', 'unit', 'ours', 'peer', 'ratio', 'rounds', 'spread'], ...rows]
}

function print(all: readonly string[][]): void {
  const widths = all[0]?.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0))) ?? []
  for (const [at, row] of all.entries()) {
    const line = row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ')
    process.stdout.write(`${at === 0 ? styleText('bold', line) : line}\n`)
  }
}

async function figured(finding: Promise<Figure[]>): Promise<Table> {
  const figures = await finding
  return { rows: rowsOf(figures), json: { figures } }
}

const { values, positionals } = parseArgs({ options: { json: { type: 'boolean' } }, allowPositionals: true })
const [name] = positionals
const bench = benches.find((known) => known.name === name)
if (bench) {
  const say = (line: string) => process.stderr.write(`${line}\n`)
  const found = 'run' in bench ? await figured(bench.run(say)) : await bench.tabulate(say)
  if (values.json) process.stdout.write(`${JSON.stringify({ bench: bench.name, ...found.json }, null, 2)}\n`)
  else print(found.rows)
  process.exit(0)
}
const list = benches.map(({ name: known, what }) => `  ${known}: ${what}`).join('\n')
process.stderr.write(
  `${name === undefined ? 'name a benchmark' : `no benchmark is called ${name}`}; there are:\n${list}\n`,
)
process.exit(name === undefined ? 0 : 2)
