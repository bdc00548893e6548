// The gate on systems that are not ours, through the http adapter: the same design is judged the same, whoever built it.

import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { endOfAFail, folder, QUICK, saved, start, tidy } from './partywall.ts'
import { describeTarget, type Kind, serve, tokens } from './systems/serve.ts'

const servers: ChildProcess[] = []
afterEach(async () => {
  tidy()
  for (const server of servers.splice(0)) {
    const gone = once(server, 'exit')
    server.kill('SIGKILL')
    await gone
  }
})

const LIMIT_MS = 120_000

async function gate(kind: Kind, settings: Record<string, string> = {}, more: readonly string[] = []) {
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

/** As few as can be looked at, where what is asked is not how it is decided. */
const THREE_PAIRS = ['--budget', '9s']

test(
  'a fair server is not failed, and what it does not offer is said',
  async () => {
    const { code, evidence, verdict, text } = await gate('fair', {}, THREE_PAIRS)
    expect([0, 3]).toContain(code)
    expect(verdict.findings.map(({ finding }) => finding)).toEqual(['held', 'held'])
    expect(evidence.notApplicable.map(({ what }) => what)).toEqual(['stream flood'])
    // What a restless machine can spoil in so short a run is not the server's doing, nor the adapter's.
    const unheld = verdict.preconditions.filter(({ held }) => !held).map(({ name }) => name)
    expect(unheld.filter((name) => !/^(noise-makers-cpu|hiccups-|send-lateness-)/.test(name))).toEqual([])
    expect(text('evidence.json') + text('journal.ndjson') + text('summary.md')).not.toContain('token-')
  },
  LIMIT_MS,
)

test(
  'a first-in-first-out server is failed for interference',
  async () => {
    const { code, verdict } = await gate('fifo')
    expect(verdict.interference.looks.at(-1)?.outcome).toBe('fail')
    expect({ outcome: verdict.outcome, code }).toEqual(endOfAFail(verdict))
    expect(verdict.findings.map(({ finding }) => finding)).toEqual(['held', 'held'])
  },
  LIMIT_MS,
)

test(
  'a server without an ownership check is failed for the runs that were read',
  async () => {
    const { code, verdict } = await gate('fair', { UNCHECKED: '1' })
    expect(code).toBe(1)
    expect(verdict.findings.map(({ probe, finding }) => [probe, finding])).toContainEqual([
      'runs-stay-with-tenant',
      'broken',
    ])
    expect(verdict.interference.outcome).not.toBe('fail')
  },
  LIMIT_MS,
)
