// The quick gate against one of the foreign servers, which is gone after the test.

import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { folder, QUICK, type Saved, saved, start, tidy } from './partywall.ts'
import { describeTarget, type Kind, serve, tokens } from './systems/serve.ts'

const servers: ChildProcess[] = []

/** For afterEach. */
export async function tidyForeign(): Promise<void> {
  tidy()
  for (const server of servers.splice(0)) {
    const gone = once(server, 'exit')
    server.kill('SIGKILL')
    await gone
  }
}

export async function foreignGate(
  kind: Kind,
  settings: Record<string, string> = {},
  more: readonly string[] = [],
): Promise<Saved & { code: number | null }> {
  const { child, port } = await serve(kind, settings)
  servers.push(child)
  const place = folder()
  const target = join(place, 'target.yaml')
  describeTarget(kind, port, target)
  const out = join(place, 'run')
  const args = ['run', QUICK, '--target', target, '--seed', '21', '--out', out, ...more]
  const { code } = await start(args, tokens).ended
  return { code, ...saved(out) }
}
