// The open-loop generator: a thread of its own that sends every arrival at its intended time, whatever became of the
// ones before. It never waits for completions, loses no arrival, and refuses to judge.

import { parentPort, workerData } from 'node:worker_threads'
import { startHiccupMeter } from '../recording/hiccup.ts'
import { Canaries } from '../tenants/canary.ts'
import { TenantClient } from './client.ts'
import type { ForeignSighting, FromGenerator, GeneratorPlan, ToGenerator } from './generator-messages.ts'
import { type Operation, pack } from './ledger.ts'
import { scheduleTenants } from './schedule.ts'

const plan: GeneratorPlan = workerData
const port = parentPort
if (!port) throw new Error('the generator runs in a worker thread')
const say = (message: FromGenerator, transfer: ArrayBuffer[] = []) => port.postMessage(message, transfer)

const arrivals = scheduleTenants(plan.runSeed, plan.ratesPerSecond, plan.horizonUs)
const operations: Operation[] = arrivals.map(({ tenant, intendedUs }, seq) => {
  return { tenant, seq, intendedUs, startUs: -1, endUs: -1, outcome: 'unfinished' }
})
const canaries = new Canaries(plan.canaryKey)
const mints = plan.tenants.map((_, owner) => canaries.mintFor(owner))
const meter = startHiccupMeter()

let zeroNs = 0n
let next = 0
let sightings: ForeignSighting[] = []
let own = plan.tenants.map(() => 0)
let received = plan.tenants.map(() => 0)
const runIds: string[][] = plan.tenants.map(() => [])

const nowUs = () => Number(process.hrtime.bigint() - zeroNs) / 1000

const clients = plan.tenants.map((access, receiver) => {
  return new TenantClient(access, plan.operationTimeoutMs, {
    left: (seq) => {
      const op = operations[seq]
      if (op && op.startUs < 0) op.startUs = nowUs()
    },
    ended: (seq, ok) => {
      const op = operations[seq]
      if (op?.outcome !== 'unfinished') return
      op.endUs = nowUs()
      op.outcome = ok ? 'ok' : 'failed'
    },
    received: (bytes, where) => {
      received[receiver] = (received[receiver] ?? 0) + 1
      for (const { owner, digest, encoding } of canaries.scan(bytes)) {
        if (owner === receiver) own[receiver] = (own[receiver] ?? 0) + 1
        else sightings.push({ atUs: nowUs(), receiver, owner, digest, encoding, where })
      }
    },
    runId: (id) => {
      const ids = runIds[receiver]
      if (!ids) return
      ids.push(id)
      if (ids.length > 20) ids.shift()
    },
    problem: (what) => say({ type: 'problem', what }),
  })
})

/** Catch-up after a stall is bounded at twice the rate: at most two arrivals' worth of each millisecond that passed. */
function sendDue(sinceUs: number): void {
  const now = nowUs()
  const perMs = plan.ratesPerSecond.reduce((sum, rate) => sum + rate, 0) / 1000
  let allowed = Math.max(8, Math.ceil(((now - sinceUs) / 1000) * perMs * 2))
  for (; allowed > 0; allowed--) {
    const op = operations[next]
    if (!op || op.intendedUs > now) break
    next++
    clients[op.tenant]?.start(op.seq, mints[op.tenant]?.mint() ?? '')
  }
  if (!stopped) setTimeout(sendDue, 1, now)
}

let stopped = false

function collect(message: Extract<ToGenerator, { type: 'collect' }>): void {
  const until = performance.now() + message.withinMs
  const first = lowerBound(message.fromUs)
  const check = () => {
    const end = lowerBound(message.toUs)
    let pending = false
    for (let i = first; i < end && !pending; i++) pending = operations[i]?.outcome === 'unfinished'
    if (pending && performance.now() < until) return void setTimeout(check, 5)
    const now = nowUs()
    const slice = operations.slice(first, end).map((op) => {
      return { ...op, startUs: op.startUs < 0 ? now : op.startUs, endUs: op.endUs < 0 ? now : op.endUs }
    })
    const packed = pack(slice)
    const { request } = message
    say(
      {
        type: 'collected',
        request,
        operations: packed,
        hiccups: meter.take(),
        sightings,
        ownCanaries: own,
        received,
        runIds,
      },
      [packed.buffer],
    )
    sightings = []
    own = plan.tenants.map(() => 0)
    received = plan.tenants.map(() => 0)
  }
  check()
}

function lowerBound(us: number): number {
  let low = 0
  let high = operations.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((operations[middle]?.intendedUs ?? 0) < us) low = middle + 1
    else high = middle
  }
  return low
}

port.on('message', (message: ToGenerator) => {
  if (message.type === 'begin') {
    zeroNs = message.zeroNs
    sendDue(0)
  } else if (message.type === 'collect') {
    collect(message)
  } else {
    stopped = true
    meter.stop()
    void Promise.allSettled(clients.map((client) => client.close())).then(() => port.close())
  }
})

void Promise.all(clients.map((client) => client.subscribe())).then(() => say({ type: 'subscribed' }))
