// partywall calibrate: seeded defects and their clean twins, and the kill matrix.

import { randomInt } from 'node:crypto'
import { calibrate } from '../calibration/calibrate.ts'
import { matrixColumns, matrixMarkdown, matrixRows, outcomeOf } from '../calibration/matrix.ts'
import { exitCodes, Failure } from '../failure.ts'
import { RunFolder } from '../run/folder.ts'
import { listDefects } from '../target/seeded-defects.ts'
import { table } from './table.ts'

export interface CalibrateArguments {
  only?: string | undefined
  out?: string | undefined
  json: boolean
}

/** A row of the catalogue stands for all of its letters: M37 for M37a, M37b and M37c. */
function chosen<T extends { id: string; name: string }>(defects: readonly T[], only: string | undefined): T[] {
  if (only === undefined) return [...defects]
  const wanted = only.split(',').map((text) => text.trim())
  const meant = (want: string) => {
    return defects.filter(({ id, name }) => name === want || id === want || id.replace(/[a-z]$/, '') === want)
  }
  const unknown = wanted.filter((want) => meant(want).length === 0)
  if (unknown.length > 0) {
    throw new Failure('usage', 'defect-unknown', `there is no seeded defect ${unknown.join(', ')}`, {
      fix: `choose from: ${defects.map(({ id, name }) => `${id} ${name}`).join(', ')}`,
    })
  }
  return [...new Set(wanted.flatMap(meant))]
}

export async function calibrateCommand(argv: CalibrateArguments): Promise<number> {
  const defects = chosen(await listDefects(), argv.only)
  const folder = RunFolder.create(argv.out, 'calibration', new Date(), () => {})
  const abort = new AbortController()
  const interrupt = () => abort.abort()
  process.on('SIGINT', interrupt)
  process.on('SIGTERM', interrupt)
  const runSeed = randomInt(1e9)
  process.stderr.write(`partywall calibrate: ${defects.length} seeded defects, run seed ${runSeed}\n`)
  try {
    const matrix = await calibrate({
      defects,
      folder: folder.path,
      runSeed,
      signal: abort.signal,
      onStep: (words) => void process.stderr.write(`${words}\n`),
    })
    const outcome = matrix.interrupted ? 'interrupted' : outcomeOf(matrix)
    const said = { folder: folder.path, outcome, runSeed, ...matrix }
    folder.write('matrix.json', `${JSON.stringify(said, null, 2)}\n`)
    folder.write('matrix.md', matrixMarkdown(matrix))
    if (argv.json) process.stdout.write(`${JSON.stringify(said, null, 2)}\n`)
    else process.stderr.write(`${table(matrixColumns, matrixRows(matrix))}\n${outcome}\nfiles: ${folder.path}\n`)
    return exitCodes[outcome]
  } finally {
    process.off('SIGINT', interrupt)
    process.off('SIGTERM', interrupt)
  }
}
