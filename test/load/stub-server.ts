// A target for the generator's self-tests, in a thread of its own: answers in about 1 ms, and stalls once, in which time it
// holds everything; or never answers at all. Knows nothing of what is expected of it. Asked for it, it tells by how much
// the machine held it up.

import { createServer, type ServerResponse } from 'node:http'
import { parentPort, workerData } from 'node:worker_threads'
import { startHiccupMeter } from '../../harness/recording/hiccup.ts'

export interface StubPlan {
  /** Milliseconds after the first request; null for never. */
  stall: { afterMs: number; forMs: number } | null
  isMute: boolean
}

/** The stall is told when it is over, on the clock of process.hrtime. */
export type FromStub = { port: number } | { stallNs: { from: bigint; to: bigint } } | { heldUpMs: number }

const { stall, isMute }: StubPlan = workerData
const port = parentPort
if (!port) throw new Error('the stub runs in a thread')
const ANSWER_MS = 1

const meter = startHiccupMeter()
port.on('message', () => port?.postMessage({ heldUpMs: meter.take().maxUs / 1000 } satisfies FromStub))

let begun = false
let held: ServerResponse[] | null = null

function begin({ afterMs, forMs }: NonNullable<StubPlan['stall']>): void {
  setTimeout(() => {
    held = []
    const from = process.hrtime.bigint()
    setTimeout(() => {
      const waiting = held ?? []
      held = null
      port?.postMessage({ stallNs: { from, to: process.hrtime.bigint() } } satisfies FromStub)
      for (const response of waiting) answer(response)
    }, forMs)
  }, afterMs)
}

function answer(response: ServerResponse): void {
  setTimeout(() => response.end('{"id":"run-1"}'), ANSWER_MS)
}

const server = createServer((request, response) => {
  request.resume()
  if (!begun && stall) begin(stall)
  begun = true
  if (isMute) return
  if (held) held.push(response)
  else answer(response)
})
server.keepAliveTimeout = 60_000
server.listen(0, '127.0.0.1', () => {
  const address = server.address()
  if (address && typeof address === 'object') port.postMessage({ port: address.port } satisfies FromStub)
})
