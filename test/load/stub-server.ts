// A target for the generator's self-tests, in a thread of its own: answers in about 1 ms, or never at all. Knows nothing of
// what is expected of it. Stalls are another's: pathology-server.ts.

import { createServer } from 'node:http'
import { parentPort, workerData } from 'node:worker_threads'

export interface StubPlan {
  isMute: boolean
}

/** What it says when it listens. */
export interface FromStub {
  port: number
}

const { isMute }: StubPlan = workerData
const port = parentPort
if (!port) throw new Error('the stub runs in a thread')
const ANSWER_MS = 1

const server = createServer((request, response) => {
  request.resume()
  if (!isMute) setTimeout(() => response.end('{"id":"run-1"}'), ANSWER_MS)
})
server.keepAliveTimeout = 60_000
server.listen(0, '127.0.0.1', () => {
  const address = server.address()
  if (address && typeof address === 'object') port.postMessage({ port: address.port } satisfies FromStub)
})
