// What Node would answer by itself, without a body or not at all, before any route is asked: a missing Host, an expectation,
// CONNECT. Refuses each with the same kind of document as everything else, and a Host sent twice, which Node lets pass.

import type { IncomingMessage, Server } from 'node:http'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { EngineError } from '../errors.ts'
import { sendOnResponse, sendOnSocket } from './problems.ts'

/** For `createServer`: what Node is not to do by itself. */
export const edgeOptions = { requireHostHeader: false } as const

/** As they came: joined, two of them would look like one. */
function hostsOf({ rawHeaders }: IncomingMessage): number {
  let hosts = 0
  for (let at = 0; at < rawHeaders.length; at += 2) if (rawHeaders[at]?.toLowerCase() === 'host') hosts += 1
  return hosts
}

/** RFC 9112, section 3.2: exactly one in HTTP/1.1; before it, there may be none. */
async function oneHost({ raw }: FastifyRequest): Promise<void> {
  const hosts = hostsOf(raw)
  if (hosts === 1 || (hosts === 0 && raw.httpVersion === '1.0')) return
  throw new EngineError('request-malformed', `one header Host is needed, ${hosts} came`)
}

/** Before any route is mounted: a hook that comes later does not hold for earlier ones. */
export function guardEdge(server: FastifyInstance): void {
  server.addHook('onRequest', oneHost)
  const http = server.server as Server
  http.on('checkExpectation', (_request, response) =>
    sendOnResponse(new EngineError('expectation-unsupported'), response),
  )
  http.on('connect', (_request, socket) => {
    socket.on('error', () => socket.destroy())
    sendOnSocket(new EngineError('route-unknown', 'there is nothing to connect to'), socket)
  })
}
