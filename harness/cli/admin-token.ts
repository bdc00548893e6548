// Where the administrator's token comes from: a file, the environment, or new. Refuses to show a token where it could be
// kept: a new one goes to a terminal, once, or into a file that is its owner's alone; never into a log or a pipe.

import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { Failure } from '../failure.ts'

const VARIABLE = 'PARTYWALL_ADMIN_TOKEN'

export interface AdminToken {
  value: string
  /** Where it can be read; null when it is nowhere but with whoever gave or saw it. */
  file: string | null
  /** How to use it, in words without it. */
  use: string
}

export interface TokenPlaces {
  env: NodeJS.ProcessEnv
  /** Whether words come to a person's eyes, and to nothing that keeps them. */
  onTerminal: boolean
  say(line: string): void
  /** Makes a folder that goes at the end; asked for only when it is needed. */
  folder(): string
}

export function ourPlaces(folder: () => string): TokenPlaces {
  return {
    env: process.env,
    onTerminal: process.stderr.isTTY === true,
    say: (line) => process.stderr.write(`${line}\n`),
    folder,
  }
}

/** @param file as given on the command line. @throws Failure usage, which never repeats a token */
export function adminToken(file: string | undefined, places: TokenPlaces): AdminToken {
  if (file !== undefined) {
    const path = resolve(file)
    const value = existsSync(path) ? read(path) : writeNew(path)
    return { value, file: path, use: howToUse(path) }
  }
  const given = places.env[VARIABLE]
  if (given !== undefined)
    return { value: checked(given, VARIABLE), file: null, use: `the admin token is that of ${VARIABLE}` }
  if (places.onTerminal) {
    const value = newToken()
    places.say(`partywall engine: the admin token, shown this once: ${value}`)
    return { value, file: null, use: 'authorization: Bearer and the admin token shown above' }
  }
  const path = join(places.folder(), 'admin-token')
  return { value: writeNew(path), file: path, use: howToUse(path) }
}

const newToken = () => randomBytes(24).toString('base64url')

const howToUse = (path: string) => `authorization: Bearer and the admin token in ${path}`

/** Only into a file that was not there before, so that nobody else can hold it open. */
function writeNew(path: string): string {
  const value = newToken()
  try {
    writeFileSync(path, `${value}\n`, { mode: 0o600, flag: 'wx' })
  } catch (cause) {
    throw unusable(`a new admin token cannot be written into ${path}`, cause)
  }
  return value
}

function read(path: string): string {
  try {
    return checked(readFileSync(path, 'utf8').trim(), path)
  } catch (cause) {
    if (cause instanceof Failure) throw cause
    throw unusable(`the admin token in ${path} cannot be read`, cause)
  }
}

/** As the engine wants it, so that it is said before anything is started. */
function checked(value: string, where: string): string {
  if (/^[\x21-\x7e]{16,512}$/.test(value)) return value
  throw new Failure('usage', 'admin-token-invalid', `what ${where} holds is no admin token`, {
    fix: 'give 16 to 512 printable characters without spaces',
  })
}

function unusable(what: string, cause: unknown): Failure {
  const why = cause instanceof Error ? cause.message : String(cause)
  return new Failure('usage', 'admin-token-file', `${what}: ${why}`, {
    fix: 'name a file of yours with --admin-token-file, or one that is not there yet',
    cause,
  })
}
