// A process of the engine for the suites that kill it: works, or starts runs, and dies by SIGKILL at the place that it was
// told. Reports its steps to the witness' socket, written before the step goes on. Refuses to end by itself.

import { connect } from 'node:net'
import type { Claim, CrashPoint } from '../../../engine/queue/queue.ts'
import { parseTenantId } from '../../../engine/tenant.ts'
import { startNode } from '../stage.ts'
import { askedNsOf } from '../witness.ts'
import type { Report } from './worker-process.ts'

const {
  STAGE_URL = '',
  WITNESS = '',
  CRASH_AT = '',
  CRASH_AFTER = '1',
  STARTS_FOR = '',
  LEASE_MS = '1000',
  WINDOW_MS = '60000',
} = process.env

const socket = connect(WITNESS)
let left = Number(CRASH_AFTER)
const passed = (point: CrashPoint) => {
  if (point !== CRASH_AT || --left > 0) return
  // What was reported is on its way before the process is gone: nothing after this line runs.
  process.kill(process.pid, 'SIGKILL')
}
const report = (event: 'started' | 'ended', claim: Claim) => {
  const { tenant, entryId, attempt, inputText } = claim
  const atNs = String(process.hrtime.bigint())
  const line: Report = [event, tenant, entryId, attempt, atNs, String(askedNsOf(claim)), inputText]
  socket.write(`${JSON.stringify(line)}\n`)
}

const url = new URL(STAGE_URL)
const stage = { url: STAGE_URL, port: Number(url.port) }
const node = await startNode(stage, { leaseMs: Number(LEASE_MS), windowMs: Number(WINDOW_MS), passed })
if (STARTS_FOR === '') {
  const witness = {
    started: (claim: Claim) => report('started', claim),
    ended: (claim: Claim) => report('ended', claim),
  }
  node.work({ slots: 4, witness })
  process.stdout.write('ready\n')
} else {
  process.stdout.write('ready\n')
  for (;;) await node.queue.admit(parseTenantId(STARTS_FOR), 'w', 'null')
}
