// A run's folder: made before anything starts, written as evidence comes, removed again when nothing true could be put in.

import { createHash } from 'node:crypto'
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statfsSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import type { ActsVerdict } from '../evidence/acts.ts'
import { type AnyEvidence, readEvidence } from '../evidence/parse.ts'
import type { Verdict } from '../evidence/verdict.ts'
import { Failure } from '../failure.ts'
import { takeBack, type Unfinished } from '../stack/unfinished.ts'

/** A run writes about 8 MB; less room than this is refused before anything starts. */
const ROOM_BYTES = 64 * 1024 * 1024

export class RunFolder {
  readonly path: string
  readonly #unfinished: Unfinished
  #evidence = false

  private constructor(unfinished: Unfinished) {
    this.path = unfinished.path
    this.#unfinished = unfinished
  }

  /**
   * @param watch told what is about to be made, for the case that we are killed
   * @throws Failure usage when it cannot be made, is not empty, cannot be written, or has too little room
   */
  static create(
    out: string | undefined,
    scenario: string,
    now: Date,
    watch: (unfinished: Unfinished) => void,
  ): RunFolder {
    const stamp = now.toISOString().replace(/[-:]|\.\d+/g, '')
    const path = resolve(out ?? join('partywall-runs', `${stamp}-${scenario}`))
    const fix = 'give another folder with --out'
    if (existsSync(path) && readdirSyncSafe(path).length > 0) {
      throw new Failure('usage', 'out-not-empty', `the folder ${path} is not empty, or not a folder`, { fix })
    }
    const unfinished = { path, made: topmostMissing(path) }
    watch(unfinished)
    try {
      mkdirSync(path, { recursive: true })
      const { bavail, bsize } = statfsSync(path)
      if (bavail * bsize < ROOM_BYTES)
        throw new Error(`only ${Math.floor((bavail * bsize) / 1e6)} MB left there, a run wants 64 MB`)
      writeFileSync(join(path, '.writable'), 'x')
      rmSync(join(path, '.writable'))
    } catch (cause) {
      takeBack(unfinished)
      const why = cause instanceof Error ? cause.message : String(cause)
      throw new Failure('usage', 'out-not-writable', `cannot write a run into ${path}: ${why}`, { fix, cause })
    }
    return new RunFolder(unfinished)
  }

  /** Whole or not at all: half a line could not be read again. */
  append(name: string, text: string): void {
    if (text === '') return
    const path = join(this.path, name)
    const before = existsSync(path) ? statSync(path).size : 0
    guarded(
      this.path,
      () => appendFileSync(path, text),
      () => truncateSync(path, before),
    )
  }

  /** Whole or not at all. With `evidence.json` the folder is worth keeping. */
  write(name: string, text: string): void {
    writeInto(this.path, name, text)
    this.#evidence ||= name === 'evidence.json'
  }

  digest(name: string): string {
    return digestFile(join(this.path, name))
  }

  /** A run that ended before it had evidence leaves nothing. @returns whether there is evidence, which stays */
  discard(): boolean {
    if (!this.#evidence) takeBack(this.#unfinished)
    return this.#evidence
  }
}

/**
 * Writes a file of a run's folder, whole or not at all.
 * @throws Failure environment when it cannot be written; what was in the folder before is left as it was
 */
export function writeInto(folder: string, name: string, text: string): void {
  const path = join(folder, name)
  guarded(
    folder,
    () => {
      writeFileSync(`${path}.part`, text)
      renameSync(`${path}.part`, path)
    },
    () => rmSync(`${path}.part`, { force: true }),
  )
}

function guarded(folder: string, work: () => void, undo: () => void): void {
  try {
    work()
  } catch (cause) {
    try {
      undo()
    } catch {
      // Nothing was begun.
    }
    const why = cause instanceof Error ? cause.message : String(cause)
    const kept = existsSync(join(folder, 'evidence.json'))
    throw new Failure(
      'environment',
      'evidence-not-written',
      `${kept ? `what follows from the evidence in ${folder}` : 'the evidence'} could not be written: ${why}`,
      {
        fix: kept ? `make room, then \`partywall judge ${folder}\`` : 'make room, or give another folder with --out',
        cause,
      },
    )
  }
}

interface OpenedFolder {
  evidence: AnyEvidence
  /** A file of the folder; empty where there is none. */
  text(name: string): string
}

/** A run's folder, as it was saved. @throws Failure usage when it is no run's folder, was cut off or was altered */
export function openFolder(folder: string): OpenedFolder {
  const path = join(folder, 'evidence.json')
  if (!existsSync(path)) {
    throw new Failure('usage', 'no-evidence', `${folder} holds no evidence.json`, { fix: "give a run's folder" })
  }
  const read = readEvidence(textOf(path))
  if (read.state === 'malformed') {
    throw new Failure('usage', 'evidence-malformed', `${path} is not what a run saved: ${read.why}`, {
      fix: FROM_THE_RUN,
    })
  }
  if (read.state === 'other-version') {
    const what = `${path} has a version that this Partywall does not read; it reads 1`
    throw new Failure('usage', 'evidence-version', what, { fix: 'judge it with the Partywall that wrote it' })
  }
  const { evidence } = read
  for (const [name, digest] of Object.entries(evidence.files)) {
    if (digestFile(join(folder, name)) === digest) continue
    throw new Failure('usage', 'evidence-altered', `${join(folder, name)} is not the file that the run saved`, {
      fix: FROM_THE_RUN,
    })
  }
  const text = (name: string) => (existsSync(join(folder, name)) ? textOf(join(folder, name)) : '')
  return { evidence, text }
}

const FROM_THE_RUN = 'take the folder from where the run wrote it; cut or altered evidence is not judged'

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new Failure('usage', 'file-unreadable', `${path} cannot be read: ${why}`, { fix: FROM_THE_RUN, cause })
  }
}

/** The verdict that was recorded; null where there is none. @throws Failure usage when it cannot be read */
export function recordedVerdict(folder: string): string | null {
  const path = join(folder, 'verdict.json')
  return existsSync(path) ? textOf(path) : null
}

/** The verdict's one written form: the same verdict is the same bytes. */
export function verdictText(verdict: Verdict | ActsVerdict): string {
  return `${JSON.stringify(verdict, null, 2)}\n`
}

function digestFile(path: string): string {
  if (!existsSync(path) || !statSync(path).isFile()) return 'absent'
  return createHash('sha256').update(readFileSync(path)).digest('hex')
}

/** The first folder on the way to `path` that is not there yet; null when `path` is. */
function topmostMissing(path: string): string | null {
  let missing: string | null = null
  for (let folder = path; !existsSync(folder); folder = dirname(folder)) missing = folder
  return missing
}

function readdirSyncSafe(path: string): string[] {
  try {
    return readdirSync(path)
  } catch {
    return ['?']
  }
}
