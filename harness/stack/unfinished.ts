// Takes back the folder of a run that ended before it had evidence. Refuses to remove what is not known to be ours: only
// the files that a run writes go, and a folder only when it is empty then.

import { existsSync, rmdirSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'

export interface Unfinished {
  path: string
  /** The topmost folder that was made for it; null when `path` was there before. */
  made: string | null
}

/** Its presence says that the run came to an end that is worth keeping; it is written last. */
const FINISHED = 'evidence.json'
const BEFORE_IT = [
  'journal.ndjson',
  'histograms.hlog',
  'evidence.json.part',
  'verdict.json.part',
  'summary.md.part',
  '.writable',
]

export function takeBack({ path, made }: Unfinished): void {
  if (existsSync(join(path, FINISHED))) return
  try {
    for (const name of BEFORE_IT) rmSync(join(path, name), { force: true })
    if (made === null) return
    for (let folder = path; folder.startsWith(made); folder = dirname(folder)) rmdirSync(folder)
  } catch {
    // Not empty, since somebody else keeps something there; or never made.
  }
}
