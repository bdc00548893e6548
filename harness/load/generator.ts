// The open-loop generator: a thread of its own that sends every arrival at its intended time, whatever became of the
// ones before. It never waits for completions, loses no arrival, and refuses to judge.
//
// An operation's actual start is the moment when it is handed over to the connections. Send lateness, actual minus intended
// start, is therefore ours alone; whatever follows is service time, the wait for a connection included, since only a target
// that does not answer makes anybody wait for one.

import { parentPort, workerData } from 'node:worker_threads'
import { startHiccupMeter } from '../recording/hiccup.ts'
import { noneThrown, oneMore } from '../recording/thrown.ts'
import { watchVitals } from '../recording/vitals.ts'
import { isCalled, streamed } from '../target/port.ts'
import { Canaries } from '../tenants/canary.ts'
import { LAST_SERIAL } from '../tenants/owner-check.ts'
import { checkScanner } from '../tenants/scan-check.ts'
import { scannerOf } from '../tenants/scanner.ts'
import { type ClientEvents, connectionsFor, TenantClient } from './client.ts'
import { Dispatcher } from './dispatcher.ts'
import type { ForeignSighting, FromGenerator, GeneratorPlan, ToGenerator } from './generator-messages.ts'
import { Ledger } from './ledger.ts'
import { RunSample } from './run-sample.ts'
import { scheduleTenants } from './schedule.ts'
import { peakPerSecond } from './shapes.ts'
import { StreamClient } from './stream-client.ts'

const plan: GeneratorPlan = workerData
const port = parentPort
if (!port) throw new Error('the generator runs in a worker thread')
const say = (message: FromGenerator, transfer: ArrayBuffer[] = []) => port.postMessage(message, transfer)

const TICK_MS = 1
const PENDING_POLL_MS = 5
const RUN_IDS_KEPT = 20
const PROBLEMS_KEPT = 20

const peaks = plan.loads.map(peakPerSecond)
const ledger = new Ledger(scheduleTenants(plan.runSeed, plan.loads))
const dispatcher = new Dispatcher(
  ledger,
  peaks.reduce((sum, peak) => sum + peak, 0),
)
const sample = new RunSample(plan.runSeed, peaks)
const canaries = new Canaries(plan.canaryKey)
const scanner = scannerOf(canaries)
const mints = plan.tenants.map((_, owner) => canaries.mintFor(owner))
const meter = startHiccupMeter()
const vitals = watchVitals()

let zeroNs = 0n
let stopped = false
let sightings: ForeignSighting[] = []
let own = plan.tenants.map(() => 0)
let received = plan.tenants.map(() => 0)
const problems = new Set<string>()
let thrown = noneThrown
const runIds: string[][] = plan.tenants.map(() => [])

const nowUs = () => Number(process.hrtime.bigint() - zeroNs) / 1000

const clients = plan.tenants.map((access, receiver) => {
  const timeoutMs = plan.operationTimeoutMs
  const connections = connectionsFor(peaks[receiver] ?? 0, timeoutMs, plan.tenants.length)
  const events: ClientEvents = {
    ended: (seq, outcome) => ledger.ended(seq, nowUs(), outcome),
    received: () => {
      received[receiver] = (received[receiver] ?? 0) + 1
    },
    seen: (found, where) => {
      for (const { owner, digest, encoding } of found) {
        if (owner === receiver) own[receiver] = (own[receiver] ?? 0) + 1
        else sightings.push({ atUs: nowUs(), receiver, owner, digest, encoding, where })
      }
    },
    runId: (id, seq) => {
      sample.started(seq, id)
      const ids = runIds[receiver]
      if (!ids) return
      ids.push(id)
      if (ids.length > RUN_IDS_KEPT) ids.shift()
    },
    problem: (what) => {
      if (problems.size < PROBLEMS_KEPT) problems.add(what)
      say({ type: 'problem', what })
    },
    threw: (error) => {
      thrown = oneMore(thrown, error)
    },
  }
  if (isCalled(access)) return new TenantClient(access, { timeoutMs, connections, scanner }, events)
  return new StreamClient(streamed(access), { timeoutMs, scanner }, events)
})

function tick(): void {
  for (const seq of dispatcher.release(nowUs())) {
    const tenant = ledger.tenantOf(seq)
    const canary = mints[tenant]?.mint() ?? ''
    ledger.handed(seq, nowUs())
    sample.handed(tenant, seq)
    clients[tenant]?.start(seq, canary)
  }
  if (!stopped) setTimeout(tick, TICK_MS)
}

function collect({ request, toUs, withinMs }: Extract<ToGenerator, { type: 'collect' }>): void {
  const until = performance.now() + withinMs
  let open = ledger.openBefore(toUs)
  const check = () => {
    if (open !== null) open = ledger.openBefore(toUs, open)
    if (open !== null && performance.now() < until) return void setTimeout(check, PENDING_POLL_MS)
    const operations = ledger.collect(toUs, nowUs())
    say(
      {
        type: 'collected',
        request,
        operations,
        hiccups: meter.take(),
        vitals: vitals.take(),
        sightings,
        ownCanaries: own,
        received,
        runIds,
        sampled: sample.take(),
        problems: [...problems],
        thrown,
      },
      [operations.buffer],
    )
    sightings = []
    own = plan.tenants.map(() => 0)
    received = plan.tenants.map(() => 0)
    problems.clear()
    thrown = noneThrown
  }
  check()
}

port.on('message', (message: ToGenerator) => {
  if (message.type === 'begin') {
    zeroNs = message.zeroNs
    tick()
  } else if (message.type === 'collect') {
    collect(message)
  } else {
    stopped = true
    meter.stop()
    vitals.stop()
    void Promise.allSettled(clients.map((client) => client.close())).then(() => port.close())
  }
})

void Promise.all(clients.map((client) => client.subscribe())).then(() => {
  const scan = checkScanner('the generator', scanner, canaries)
  const minted = plan.tenants.map((_, owner) => canaries.mintFor(owner, LAST_SERIAL).mint())
  say({ type: 'subscribed', scan, minted })
})
