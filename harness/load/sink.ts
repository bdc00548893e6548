// The placebo sink: answers the noise makers as the target would, and does nothing else. A thread of its own.
// HTTP: the answer that the target mostly gave in the warm-up. Redis: an entry id for each XADD, OK for the rest.

import { createServer as createHttp } from 'node:http'
import { type AddressInfo, createServer as createTcp } from 'node:net'
import { parentPort } from 'node:worker_threads'
import type { ModalAnswer } from './noise-messages.ts'
import { commandCounter } from './resp.ts'

const port = parentPort
if (!port) throw new Error('the placebo sink runs in a worker thread')

let answer: ModalAnswer = { status: 429, headers: [['content-type', 'application/json']], body: '{}' }
const own = new Set(['connection', 'keep-alive', 'date', 'content-length', 'transfer-encoding'])

const hangsUp = ({ headers }: ModalAnswer) =>
  headers.some(([name, value]) => name.toLowerCase() === 'connection' && value.toLowerCase() === 'close')

const http = createHttp((request, response) => {
  request.resume()
  const headers = answer.headers.filter(([name]) => !own.has(name.toLowerCase()))
  // A target that hangs up after each answer makes its callers connect anew: that burden belongs to both arms.
  if (hangsUp(answer)) headers.push(['connection', 'close'])
  response.writeHead(answer.status, [...headers.flat(), 'content-length', String(Buffer.byteLength(answer.body))])
  response.end(answer.body)
})
http.keepAliveTimeout = 600_000

const redis = createTcp((socket) => {
  socket.setNoDelay(true)
  socket.on('error', () => socket.destroy())
  const count = commandCounter()
  socket.on('data', (chunk) => {
    let reply = ''
    for (const name of count(chunk)) reply += name === 'XADD' ? '$15\r\n1700000000000-0\r\n' : '+OK\r\n'
    if (reply !== '') socket.write(reply)
  })
})

http.listen(0, '127.0.0.1', () => {
  redis.listen(0, '127.0.0.1', () => {
    const httpPort = (http.address() as AddressInfo).port
    const redisPort = (redis.address() as AddressInfo).port
    port.postMessage({ origin: `http://127.0.0.1:${httpPort}`, redisUrl: `redis://127.0.0.1:${redisPort}` })
  })
})

port.on('message', (message: { answer: ModalAnswer } | 'stop') => {
  if (message !== 'stop') {
    answer = message.answer
    return
  }
  http.closeAllConnections()
  http.close()
  redis.close()
  port.close()
  setTimeout(() => process.exit(0), 100).unref()
})
