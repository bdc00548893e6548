// The least that answers HTTP: what a load generator costs shows best against a server that costs next to nothing.

import { createServer } from 'node:http'

/** What it says to its parent process when it listens. */
export interface Listening {
  port: number
}

const server = createServer((request, response) => {
  request.resume()
  response.end('{"id":"run-1"}')
})
server.keepAliveTimeout = 60_000
server.listen(0, '127.0.0.1', () => {
  const address = server.address()
  if (address && typeof address === 'object') process.send?.({ port: address.port } satisfies Listening)
})
process.on('disconnect', () => process.exit(0))
