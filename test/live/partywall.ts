// The command line as a process, as a user has it; and the folders that a test makes, gone after it. Refuses to look
// inside: what a test wants to know stands in what the command printed and saved.

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { ActsEvidence, ActsVerdict } from '../../harness/evidence/acts.ts'
import type { Evidence } from '../../harness/evidence/run.ts'
import type { Verdict } from '../../harness/evidence/verdict.ts'

const path = (from: string) => fileURLToPath(new URL(from, import.meta.url))
export const QUICK = path('./quick.yaml')
export const TWO_ACTS = path('./acts.yaml')

const folders: string[] = []
const running = new Set<ChildProcess>()

export function folder(): string {
  const made = mkdtempSync(join(tmpdir(), 'pw-live-'))
  folders.push(made)
  return made
}

/** For afterEach: also what a failed test left running. */
export function tidy(): void {
  for (const child of running) child.kill('SIGKILL')
  for (const made of folders.splice(0)) rmSync(made, { recursive: true, force: true })
}

export interface Ended {
  code: number | null
  stdout: string
  stderr: string
}

export interface Running {
  child: ChildProcess
  ended: Promise<Ended>
  /** Resolves when stderr holds this text. */
  said(text: string): Promise<void>
  /** What stdout holds so far. */
  stdout(): string
}

export function start(args: readonly string[], env: NodeJS.ProcessEnv = {}): Running {
  const child = spawn(process.execPath, ['--v8-pool-size=1', path('../../harness/cli/main.ts'), ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
  })
  running.add(child)
  const heard = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8')
    child[name].on('data', (text: string) => {
      heard[name] += text
    })
  }
  const ended = once(child, 'close').then(([code]) => {
    running.delete(child)
    return { code: code as number | null, ...heard }
  })
  const said = async (text: string) => {
    while (!heard.stderr.includes(text)) {
      const more = await Promise.race([once(child.stderr, 'data'), ended])
      if (!Array.isArray(more)) throw new Error(`ended without saying “${text}”:\n${heard.stderr}`)
    }
  }
  return { child, ended, said, stdout: () => heard.stdout }
}

export async function partywall(...args: string[]): Promise<Ended> {
  return await start(args).ended
}

export interface Saved {
  files: string[]
  evidence: Evidence
  verdict: Verdict
  text(name: string): string
}

/**
 * What a run must come to whose looks saw interference: fail, unless the machine spoilt what a fail rests on, which is then
 * said. Busy machines do that now and then, and an honest gate is inconclusive there.
 */
export function endOfAFail({ preconditions }: Verdict): { outcome: 'fail' | 'inconclusive'; code: 1 | 3 } {
  const spoilt = preconditions.some(({ held, spoils }) => !held && spoils !== 'pass')
  return spoilt ? { outcome: 'inconclusive', code: 3 } : { outcome: 'fail', code: 1 }
}

export function saved(run: string): Saved {
  const text = (name: string) => readFileSync(join(run, name), 'utf8')
  return {
    files: readdirSync(run).sort(),
    get evidence() {
      return JSON.parse(text('evidence.json'))
    },
    get verdict() {
      return JSON.parse(text('verdict.json'))
    },
    text,
  }
}

/** The same of a run of acts. */
interface SavedActs extends Omit<Saved, 'evidence' | 'verdict'> {
  evidence: ActsEvidence
  verdict: ActsVerdict
}

export function savedActs(run: string): SavedActs {
  const { files, text } = saved(run)
  return { files, text, evidence: JSON.parse(text('evidence.json')), verdict: JSON.parse(text('verdict.json')) }
}

export const actFindings = ({ findings }: ActsVerdict) => findings.map(({ probe, finding }) => [probe, finding])
