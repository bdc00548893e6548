// A TCP proxy in front of Redis that can cut what goes through it. Refuses to delay or change a byte.

import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

export interface Proxy {
  url: string
  /** Ends every connection at once, in the middle of whatever it carries. */
  cut(): void
  /** Ends the next connection whose client sends this text, before Redis hears it; resolves then. */
  cutAtNext(text: string): Promise<void>
  stop(): Promise<void>
}

export async function startProxy(port: number): Promise<Proxy> {
  const sockets = new Set<Socket>()
  let waiting: { text: string; done: () => void } | null = null
  const server = createServer((client) => {
    const upstream = connect(port, '127.0.0.1')
    // Before the pipe: whoever is cut here is cut before its bytes go on.
    client.on('data', (chunk: Buffer) => {
      if (!waiting || !chunk.includes(waiting.text)) return
      client.unpipe(upstream)
      waiting.done()
      waiting = null
      client.resetAndDestroy()
      upstream.resetAndDestroy()
    })
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(from)
      from.on('error', () => {})
      from.once('close', () => {
        sockets.delete(from)
        to.destroy()
      })
      from.pipe(to)
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const cut = () => {
    for (const socket of sockets) socket.resetAndDestroy()
  }
  return {
    url: `redis://127.0.0.1:${(server.address() as AddressInfo).port}`,
    cut,
    cutAtNext(text) {
      return new Promise((done) => {
        waiting = { text, done }
      })
    },
    async stop() {
      cut()
      server.close()
      await once(server, 'close')
    },
  }
}
