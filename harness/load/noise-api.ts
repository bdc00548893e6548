// The API flood: autocannon's connections, driven by our own clock, in a thread of its own. autocannon's own rate mode
// bursts once a second, which would be another noise; here each connection waits for a token, and the tokens are
// spread evenly over the block. Its latency figures are never read.

import { parentPort, workerData } from 'node:worker_threads'
import autocannon from 'autocannon'
import { Canaries, type Sighting } from '../tenants/canary.ts'
import type { ApiNoisePlan, FromNoise, ModalAnswer, NoiseOrder, ToNoise } from './noise-messages.ts'
import { pace } from './pace.ts'

const plan: ApiNoisePlan = workerData
const canaries = new Canaries(plan.canaryKey)
const port = parentPort
if (!port) throw new Error('noise makers run in a worker thread')
const say = (message: FromNoise) => port.postMessage(message)

/** autocannon's client, as far as we drive it (9.0.0, pinned). */
interface PacedClient {
  rate: number
  reqsMadeThisSecond: number
  rateInterval?: NodeJS.Timeout
  paused: boolean
  cer?: unknown
  _doRequest(): void
  on(event: 'headers', listener: (head: { statusCode: number; headers: string[] }) => void): void
  on(event: 'body', listener: (body: Buffer) => void): void
}

/** A leak shows in the first; a target that leaks everywhere must not fill the memory. */
const SIGHTINGS_A_BLOCK = 10_000

class Flood {
  readonly #clients: PacedClient[] = []
  readonly #instance: autocannon.Instance
  readonly #answers = new Map<number, { count: number; headers: string[]; body: string }>()
  #turn = 0
  #status = 0
  #seen: Sighting[] = []
  answered = 0
  refused = 0
  errors = 0

  constructor(origin: string) {
    const { call } = plan.target
    const options = {
      url: `${origin}${call.path}`,
      method: call.method,
      headers: call.headers,
      ...(call.body === undefined ? {} : { body: call.body }),
      connections: plan.connections,
      duration: 3600,
      timeout: 600,
      setupClient: (client: unknown) => this.#adopt(client as PacedClient),
    }
    this.#instance = autocannon(options as autocannon.Options, () => {})
    this.#instance.on('response', (_client: unknown, status: number) => {
      this.answered++
      if (status >= 400) this.refused++
    })
    this.#instance.on('reqError', () => {
      this.errors++
    })
  }

  /** A client with one token per second, already spent, writes nothing until it is given another. */
  #adopt(client: PacedClient): void {
    client.rate = 1
    client.reqsMadeThisSecond = 1
    // Its constructor goes on to start a timer that would hand out a token a second behind our back.
    queueMicrotask(() => clearInterval(client.rateInterval))
    client.on('headers', (head) => {
      this.#status = head.statusCode
      const seen = this.#answers.get(head.statusCode)
      if (seen) seen.count++
      else this.#answers.set(head.statusCode, { count: 1, headers: head.headers, body: '' })
    })
    client.on('body', (body) => {
      const seen = this.#answers.get(this.#status)
      if (seen && seen.body === '') seen.body = body.toString()
      // In both arms, so that both cost the same.
      if (this.#seen.length < SIGHTINGS_A_BLOCK) this.#seen.push(...canaries.scan(body))
    })
    this.#clients.push(client)
  }

  /** Gives up to n idle connections a token, in turns. @returns how many were idle */
  give(n: number): number {
    let given = 0
    for (let tried = 0; tried < this.#clients.length && given < n; tried++) {
      const client = this.#clients[this.#turn++ % this.#clients.length]
      if (!client?.paused) continue
      client.paused = false
      client.reqsMadeThisSecond = 0
      client._doRequest()
      given++
    }
    return given
  }

  /** Canaries seen since the last time. */
  taken(): Sighting[] {
    const seen = this.#seen
    this.#seen = []
    return seen
  }

  modal(): ModalAnswer | null {
    const [best] = [...this.#answers].sort((x, y) => y[1].count - x[1].count)
    if (!best) return null
    const [status, { headers: flat, body }] = best
    const headers: Array<[string, string]> = []
    for (let i = 0; i + 1 < flat.length; i += 2) headers.push([flat[i] ?? '', flat[i + 1] ?? ''])
    return { status, headers, body }
  }

  stop(): void {
    this.#instance.stop()
  }
}

const floods = { noise: new Flood(plan.target.origin), placebo: new Flood(plan.sinkOrigin) }
let stopped = false

async function block({ arm, count, lengthMs }: NoiseOrder): Promise<void> {
  const flood = floods[arm]
  const before = { answered: flood.answered, refused: flood.refused, errors: flood.errors }
  const cpu = process.threadCpuUsage()
  const sent = await pace(
    count,
    lengthMs,
    (due) => flood.give(due),
    () => stopped,
  )
  const until = performance.now() + 10_000
  const settled = () => flood.answered + flood.errors - before.answered - before.errors >= sent
  while (!settled() && !stopped && performance.now() < until) await new Promise((resolve) => setTimeout(resolve, 2))
  const seen = flood.taken()
  const used = process.threadCpuUsage(cpu)
  say({
    type: 'done',
    sent,
    answered: flood.answered - before.answered,
    refused: flood.refused - before.refused,
    errors: flood.errors - before.errors,
    cpuUs: used.user + used.system,
    canaries: arm === 'noise' ? seen : [],
  })
}

port.on('message', (message: ToNoise) => {
  if (message.type === 'block') void block(message)
  else if (message.type === 'modal') say({ type: 'modal', answer: floods.noise.modal() })
  else {
    stopped = true
    floods.noise.stop()
    floods.placebo.stop()
    port.close()
    setTimeout(() => process.exit(0), 100).unref()
  }
})
say({ type: 'ready' })
