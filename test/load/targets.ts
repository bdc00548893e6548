// Servers that behave in one way each, good or bad, for the noise makers to meet, and the noise thread that meets them.
// Refuses any address but loopback.

import { once } from 'node:events'
import { createServer as createHttp, type RequestListener } from 'node:http'
import { type AddressInfo, createServer as createTcp, type Server, type Socket } from 'node:net'
import type { ApiNoisePlan, NoiseDone } from '../../harness/load/noise-messages.ts'
import { type NoiseThread, startNoise } from '../../harness/run/threads.ts'

const KEY = 'a key of the tests'
const closing: Array<() => unknown> = []

/** For afterEach. */
export async function tidy(): Promise<void> {
  for (const close of closing.splice(0).reverse()) await close()
}

export function later(close: () => unknown): void {
  closing.push(close)
}

async function listening(server: Server): Promise<string> {
  const sockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.once('close', () => sockets.delete(socket))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  closing.push(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

export function httpTarget(answer: RequestListener): Promise<string> {
  return listening(createHttp({ keepAliveTimeout: 600_000 }, answer))
}

/** One that speaks for itself, byte by byte. */
export function rawTarget(meet: (socket: Socket) => void): Promise<string> {
  return listening(createTcp(meet))
}

export type Api = Partial<Omit<ApiNoisePlan, 'kind' | 'target' | 'sinkOrigin'>> & { body?: string }

export async function apiNoise(origin: string, more: Api = {}, sinkOrigin = origin): Promise<NoiseThread> {
  const { body = '{"input":1}', ...plan } = more
  const call = { method: 'POST' as const, path: '/runs', headers: { 'content-type': 'application/json' }, body }
  const defaults = { kind: 'api' as const, maker: 'api' as const, connections: 10, retries: 0, canaryKey: KEY }
  const noise = await startNoise({ ...defaults, ...plan, target: { origin, call }, sinkOrigin })
  closing.push(() => noise.stop())
  return noise
}

export function play(
  noise: NoiseThread,
  count: number,
  lengthMs: number,
  arm: 'placebo' | 'noise' = 'noise',
): Promise<NoiseDone> {
  return noise.block({ arm, count, lengthMs, startNs: process.hrtime.bigint() })
}

export { KEY }
