// Runs one benchmark by its name, with its peers side by side, and prints what it found. Refuses a name that it does not
// know, with the choices, and exit code 2.

import { parseArgs, styleText } from 'node:util'
import { aaBench } from './aa.ts'
import { engineBench } from './engine.ts'
import type { Bench, Figure } from './figures.ts'
import { generatorBench } from './generator.ts'
import { recordingBench } from './recording.ts'
import { streamFloodBench } from './stream-flood.ts'
import { verdictBench } from './verdict.ts'

const benches: readonly Bench[] = [aaBench, engineBench, generatorBench, recordingBench, streamFloodBench, verdictBench]

function print(figures: readonly Figure[]): void {
  const text = (value: number | null) => (value === null ? '-' : Number(value.toPrecision(4)).toLocaleString('en'))
  const rows = figures.map(({ name, unit, ours, peer, ratio, rounds, spread }) => {
    return [name, unit, text(ours), text(peer), text(ratio), String(rounds), spread]
  })
  const all = [['figure', 'unit', 'ours', 'peer', 'ratio', 'rounds', 'spread'], ...rows]
  const widths = all[0]?.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0))) ?? []
  for (const [at, row] of all.entries()) {
    const line = row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ')
    process.stdout.write(`${at === 0 ? styleText('bold', line) : line}\n`)
  }
}

const { values, positionals } = parseArgs({ options: { json: { type: 'boolean' } }, allowPositionals: true })
const [name] = positionals
const bench = benches.find((known) => known.name === name)
if (bench) {
  const figures = await bench.run((line) => process.stderr.write(`${line}\n`))
  if (values.json) process.stdout.write(`${JSON.stringify({ bench: bench.name, figures }, null, 2)}\n`)
  else print(figures)
  process.exit(0)
}
const list = benches.map(({ name: known, what }) => `  ${known}: ${what}`).join('\n')
process.stderr.write(
  `${name === undefined ? 'name a benchmark' : `no benchmark is called ${name}`}; there are:\n${list}\n`,
)
process.exit(name === undefined ? 0 : 2)
