// Starts one of the foreign servers on a free port. Imports nothing of ours, like the servers themselves.

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

export type Kind = 'fair' | 'fifo' | 'planted'
const IDS = ['a', 'b', 'c', 'd', 'noisy']
const path = (name: string) => fileURLToPath(new URL(`./${name}`, import.meta.url))

/** What a target file's headers take from the environment. */
export const tokens = Object.fromEntries(IDS.map((id) => [`TOKEN_${id[0]?.toUpperCase()}`, `token-${id}`]))

export async function serve(
  kind: Kind,
  more: Record<string, string> = {},
): Promise<{ child: ChildProcess; port: number }> {
  const env = { ...process.env, TOKENS: IDS.map((id) => `${id}:token-${id}`).join(), PORT: '0', ...more }
  const child = spawn(process.execPath, [path(`${kind}-server.ts`)], { env, stdio: ['ignore', 'pipe', 'inherit'] })
  const [line] = await once(child.stdout, 'data')
  return { child, port: JSON.parse(String(line)).port }
}

/** The server's target file, with its port, written to `file`. */
export function describeTarget(kind: Kind, port: number, file: string): void {
  writeFileSync(file, readFileSync(path(`${kind}.yaml`), 'utf8').replace('4711', String(port)))
}
