// A process that misbehaves as it is told: for each pathology an HTTP server on a port of its own, which answers each request
// when the arithmetic of pathologies.ts says, on the clock of process.hrtime, which all processes of a machine share.
// Refuses to know what anybody expects of it. Its zero is what it is told, or else its first request. Asked for it, it
// tells by how much the machine held it up.

import { createServer } from 'node:http'
import { type HiccupTally, startHiccupMeter } from '../../harness/recording/hiccup.ts'
import { answersOf, type Pathology } from './pathologies.ts'

export type ToPathologyServer = { serve: Pathology[] } | { zeroNs: bigint } | 'held up?'
/** Ports in the order of the pathologies. */
export type FromPathologyServer = { ports: number[] } | { heldUp: HiccupTally; unanswered: number }

const say = (message: FromPathologyServer) => process.send?.(message)
const meter = startHiccupMeter()
let toldNs: bigint | null = null
let unanswered = 0

function listen(pathology: Pathology): Promise<number> {
  const answers = answersOf(pathology)
  let firstNs: bigint | null = null
  const server = createServer((request, response) => {
    const nowNs = process.hrtime.bigint()
    firstNs ??= nowNs
    request.resume()
    const us = Number(nowNs - (toldNs ?? firstNs)) / 1000
    const due = answers(us)
    if (due === null) {
      unanswered++
      return
    }
    // Timers count whole milliseconds: the nearest one, so that what is cut off and what is added even out.
    const ms = Math.round((due - us) / 1000)
    if (ms < 1) response.end('ok')
    else setTimeout(() => response.end('ok'), ms)
  })
  server.keepAliveTimeout = 600_000
  server.requestTimeout = 0
  server.headersTimeout = 0
  return new Promise((resolve) => {
    // A stall makes hundreds of clients connect at once.
    server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 }, () => {
      const address = server.address()
      resolve(address && typeof address === 'object' ? address.port : 0)
    })
  })
}

process.on('message', async (message: ToPathologyServer) => {
  if (message === 'held up?') say({ heldUp: meter.take(), unanswered })
  else if ('serve' in message) say({ ports: await Promise.all(message.serve.map(listen)) })
  else toldNs = message.zeroNs
})
process.on('disconnect', () => process.exit(0))
