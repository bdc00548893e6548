// Foreign servers for a test, gone after it, and the quick gate against one of them.

import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { folder, QUICK, type Running, type Saved, saved, start, tidy } from './partywall.ts'
import { describeTarget, type Kind, serve, tokens } from './systems/serve.ts'

const servers: ChildProcess[] = []

/** For afterEach. */
export async function tidyForeign(): Promise<void> {
  tidy()
  for (const server of servers.splice(0)) {
    if (server.exitCode !== null || server.signalCode !== null) continue
    const gone = once(server, 'exit')
    // One that was stopped takes no other signal.
    server.kill('SIGKILL')
    await gone
  }
}

/** Ended by `tidyForeign`. */
export function owned<T extends ChildProcess>(child: T): T {
  servers.push(child)
  return child
}

export async function served(kind: Kind, settings: Record<string, string> = {}) {
  const { child, port } = await serve(kind, settings)
  return { server: owned(child), port }
}

/** Begun, and not waited for. */
export async function beginForeign(
  kind: Kind,
  settings: Record<string, string> = {},
  more: readonly string[] = [],
): Promise<Running & { server: ChildProcess; out: string }> {
  const { server, port } = await served(kind, settings)
  const place = folder()
  const target = join(place, 'target.yaml')
  describeTarget(kind, port, target)
  const out = join(place, 'run')
  const args = ['run', QUICK, '--target', target, '--seed', '21', '--out', out, ...more]
  return { server, out, ...start(args, tokens) }
}

export async function foreignGate(
  kind: Kind,
  settings?: Record<string, string>,
  more?: readonly string[],
): Promise<Saved & { code: number | null }> {
  const { out, ended } = await beginForeign(kind, settings, more)
  const { code } = await ended
  return { code, ...saved(out) }
}
