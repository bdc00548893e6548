// The placebo sink: answers the noise makers as the target would, counts what it received, and does nothing else. A thread
// of its own. HTTP: for each maker the answer that the target mostly gave it in the warm-up, at a port of its own. Redis: an
// entry id for each XADD, OK for the rest.

import { createServer as createHttp, type ServerResponse } from 'node:http'
import { type AddressInfo, createServer as createTcp, type Server } from 'node:net'
import { parentPort, workerData } from 'node:worker_threads'
import type { MakerName } from '../evidence/types.ts'
import type { FromSink, ModalAnswer, SinkSeen, ToSink } from './noise-messages.ts'
import { commandCounter } from './resp.ts'

const port = parentPort
if (!port) throw new Error('the placebo sink runs in a worker thread')
const { makers }: { makers: MakerName[] } = workerData
const say = (message: FromSink) => port.postMessage(message)

const own = new Set(['connection', 'keep-alive', 'date', 'content-length', 'transfer-encoding'])
let seen: SinkSeen = {}
const count = (maker: MakerName) => {
  seen[maker] = (seen[maker] ?? 0) + 1
}

interface Manner {
  status: number
  headers: string[]
  body: Uint8Array
  delayMs: number
}

function mannerOf({ status, headers, body }: Omit<ModalAnswer, 'serviceMs'>, delayMs: number): Manner {
  const hangsUp = headers.some(
    ([name, value]) => name.toLowerCase() === 'connection' && value.toLowerCase() === 'close',
  )
  const kept = headers.filter(([name]) => !own.has(name.toLowerCase()))
  // A target that hangs up after each answer makes its callers connect anew: that burden belongs to both arms.
  if (hangsUp) kept.push(['connection', 'close'])
  return { status, headers: [...kept.flat(), 'content-length', String(body.byteLength)], body, delayMs }
}

const unlearned: Omit<ModalAnswer, 'serviceMs'> = {
  status: 429,
  headers: [['content-type', 'application/json']],
  body: Buffer.from('{}'),
}
const manners = new Map(makers.map((maker) => [maker, mannerOf(unlearned, 0)]))

function answer(maker: MakerName, response: ServerResponse): void {
  const manner = manners.get(maker)
  if (!manner) throw new Error(`the sink knows no maker ${maker}`)
  const { status, headers, body, delayMs } = manner
  const send = () => response.writeHead(status, headers).end(body)
  if (delayMs < 1) send()
  else setTimeout(send, delayMs)
}

/** Never hangs up by itself, nor says that it will: an idle connection of a noise maker costs both arms the same. */
function httpSink(maker: MakerName) {
  const server = createHttp(
    { keepAliveTimeout: 600_000, headersTimeout: 0, requestTimeout: 0 },
    (request, response) => {
      count(maker)
      request.resume()
      request.once('end', () => answer(maker, response))
    },
  )
  return server
}

const redis = createTcp((socket) => {
  socket.setNoDelay(true)
  socket.on('error', () => socket.destroy())
  const counted = commandCounter()
  socket.on('data', (chunk) => {
    let reply = ''
    for (const name of counted(chunk)) {
      if (name === 'XADD') count('stream')
      reply += name === 'XADD' ? '$15\r\n1700000000000-0\r\n' : '+OK\r\n'
    }
    if (reply !== '') socket.write(reply)
  })
})

async function listening(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return (server.address() as AddressInfo).port
}

const servers = new Map(makers.map((maker) => [maker, httpSink(maker)]))
const origins: Partial<Record<MakerName, string>> = {}
for (const [maker, server] of servers) origins[maker] = `http://127.0.0.1:${await listening(server)}`
say({ type: 'ready', origins, redisUrl: `redis://127.0.0.1:${await listening(redis)}` })

port.on('message', (message: ToSink) => {
  if (message.type === 'answer') {
    manners.set(message.maker, mannerOf(message.answer, message.delayMs))
  } else if (message.type === 'seen') {
    say({ type: 'seen', seen })
    seen = {}
  } else {
    for (const server of servers.values()) {
      server.closeAllConnections()
      server.close()
    }
    redis.close()
    port.close()
    setTimeout(() => process.exit(0), 100).unref()
  }
})
