// A load tool of others, as a benchmark sees it: is it here, and what does it report of a server. What it reports is taken
// as it is: nothing is corrected, and what is missing stays missing.

import { execFile, spawnSync } from 'node:child_process'
import { promisify } from 'node:util'

/** For every peer that bounds what can be open at the same time. */
export const CONNECTIONS = 10
export const QUANTILES = [0.5, 0.9, 0.99, 0.999] as const

export interface Asked {
  url: string
  ratePerSecond: number
  seconds: number
  timeoutSeconds: number
}

export interface Reported {
  /** Operations that its percentiles are made of. */
  n: number
  /** Milliseconds, for each of QUANTILES; null where the tool does not say. */
  ms: (number | null)[]
  /** What it says beside them, for a reader. */
  note: string
}

export interface Peer {
  name: string
  /** The way in which it is asked, for a reader. */
  how: string
  /** A closed loop takes what the server gives: beside others it would measure them. */
  loop: 'closed' | 'paced'
  isHere(): boolean
  report(asked: Asked): Promise<Reported>
}

export const isOnPath = (tool: string, ...args: string[]) =>
  spawnSync(tool, args, { stdio: 'ignore' }).error === undefined

const run = promisify(execFile)

/** @returns what it wrote to stdout. @throws Error with what it wrote to stderr, when it exits with an error */
export async function output(tool: string, args: readonly string[], env: Record<string, string> = {}): Promise<string> {
  const options = { encoding: 'utf8' as const, maxBuffer: 256 * 1024 * 1024, env: { ...process.env, ...env } }
  return (await run(tool, args, options)).stdout
}

/** Percentiles of single operations, nearest rank. @param timesMs not ascending yet */
export function reportOf(timesMs: readonly number[], note: string): Reported {
  const sorted = [...timesMs].sort((x, y) => x - y)
  const at = (q: number) => sorted[Math.max(1, Math.ceil(sorted.length * q)) - 1] ?? null
  return { n: sorted.length, ms: QUANTILES.map(at), note }
}
