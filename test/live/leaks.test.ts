// The gate on leaks, in the reference engine and in a system that is not ours: one is a fail, however restless the machine,
// so that these runs need no machine to themselves.

import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { foreignGate, tidyForeign } from './foreign.ts'
import { folder, partywall, QUICK, saved } from './partywall.ts'

afterEach(tidyForeign)
const LIMIT_MS = 120_000

test(
  'get-unchecked is failed for the runs that were read, and names who read whose',
  async () => {
    const out = join(folder(), 'run')
    const { code, stdout } = await partywall(
      'run',
      QUICK,
      '--seed',
      '20',
      '--out',
      out,
      '--json',
      '--defect',
      'get-unchecked',
    )
    const { evidence, verdict } = saved(out)
    expect([verdict.outcome, code]).toEqual(['fail', 1])
    const [reads] = verdict.findings
    expect(reads).toMatchObject({ probe: 'runs-stay-with-tenant', finding: 'broken' })
    expect(reads?.tenants).toEqual(['quiet-1', 'quiet-2', 'quiet-3', 'quiet-4'])
    expect(reads?.reason).toContain('noisy read a run of quiet-4')
    expect(verdict.reasons[0]).toContain('runs-stay-with-tenant')
    expect(reads?.witness.length).toBeGreaterThan(0)
    expect(evidence.defectTrips).toBeGreaterThan(10)
    expect(JSON.parse(stdout)).toMatchObject({ defect: 'get-unchecked', defectTrips: evidence.defectTrips })
  },
  LIMIT_MS,
)

/** As few as can be looked at, where what is asked is not how it is decided. */
const THREE_PAIRS = ['--budget', '9s']

test(
  'a fair server is not failed, and what it does not offer is said',
  async () => {
    const { code, evidence, verdict, text } = await foreignGate('fair', {}, THREE_PAIRS)
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
  'a server without an ownership check is failed for the runs that were read',
  async () => {
    const { code, verdict } = await foreignGate('fair', { UNCHECKED: '1' })
    expect(code).toBe(1)
    expect(verdict.findings.map(({ probe, finding }) => [probe, finding])).toContainEqual([
      'runs-stay-with-tenant',
      'broken',
    ])
    expect(verdict.interference.outcome).not.toBe('fail')
  },
  LIMIT_MS,
)
