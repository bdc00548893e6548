// A flood of requests over a fixed number of kept-open connections, autocannon's, driven by our own clock: autocannon's own
// rate mode bursts once a second, which would be another noise. A request goes when it is due and a connection is free,
// the connections in turns; what is refused or lost may be sent again at once, out of the same fixed count. Its latency
// figures are never read.

import autocannon from 'autocannon'
import type { Call } from '../target/port.ts'
import type { Sighting } from '../tenants/canary.ts'
import type { Scanner } from '../tenants/scanner.ts'
import type { Answer } from './answer-reader.ts'
import { Backoff } from './backoff.ts'
import { BlockLedger } from './block-ledger.ts'
import { type AutocannonClient, FloodConnection, type Told } from './flood-connection.ts'
import type { Flood } from './noise-block.ts'
import type { ApiNoisePlan, ModalAnswer } from './noise-messages.ts'

/** A leak shows in the first; a target that leaks everywhere must not fill the memory. */
const SIGHTINGS_A_BLOCK = 10_000
/** Of one status; enough for a median. */
const SERVICE_TIMES_KEPT = 1000

export interface ApiFloodPlan extends Pick<ApiNoisePlan, 'connections' | 'retries' | 'other'> {
  origin: string
  call: Call
}

interface Kind {
  count: number
  headers: string[]
  body: Uint8Array
  serviceMs: number[]
}

export class ApiFlood implements Flood, Told {
  readonly ledger = new BlockLedger()
  readonly #plan: ApiFloodPlan
  readonly #instance: autocannon.Instance
  readonly #connections: FloodConnection[] = []
  /** In the order in which they became free, so that all of them are used. */
  readonly #idle: FloodConnection[] = []
  /** Tries so far of what is to be sent again. */
  #again: number[] = []
  #others = 0
  #seen: Sighting[] = []
  readonly #kinds = new Map<number, Kind>()

  constructor(plan: ApiFloodPlan, scanner: Scanner) {
    this.#plan = plan
    const { call, connections, other } = plan
    const bodies = [call.body, other?.body].filter((body) => body !== undefined)
    const setupClient = (client: unknown) => {
      const backoff = new Backoff(this.#connections.length / connections)
      // autocannon's types do not show what its client is made of.
      this.#connections.push(new FloodConnection(client as AutocannonClient, this, scanner, backoff))
    }
    const options: autocannon.Options = {
      url: `${plan.origin}${call.path}`,
      method: call.method,
      headers: call.headers,
      connections,
      duration: 3600,
      timeout: 600,
      excludeErrorStats: true,
      setupClient,
      ...(bodies.length === 0 ? {} : { requests: bodies.map((body) => ({ body })) }),
    }
    this.#instance = autocannon(options, (error: unknown) => {
      if (error) throw error
    })
  }

  pump(): void {
    while (this.ledger.due > 0 || (this.#again.length > 0 && this.ledger.left > 0)) {
      const connection = this.#idle.shift()
      if (!connection) return
      // One that the target is hanging up on comes back when it is open again.
      if (!connection.idle) continue
      this.ledger.noteSent(1)
      connection.send(this.#pick(), this.#again.shift() ?? 0)
    }
  }

  abandon(): void {
    this.#again = []
    for (const connection of this.#connections) {
      const unanswered = connection.abandon()
      if (!unanswered) continue
      this.#keep(unanswered.sightings)
      this.ledger.noteErrors(1)
    }
  }

  /** Canaries seen since the last time. */
  taken(): Sighting[] {
    const seen = this.#seen
    this.#seen = []
    return seen
  }

  modal(): ModalAnswer | null {
    const [best] = [...this.#kinds].sort((x, y) => y[1].count - x[1].count)
    if (!best) return null
    const [status, { headers: flat, body, serviceMs }] = best
    const headers: Array<[string, string]> = []
    for (let i = 0; i + 1 < flat.length; i += 2) headers.push([flat[i] ?? '', flat[i + 1] ?? ''])
    const sorted = [...serviceMs].sort((x, y) => x - y)
    return { status, headers, body, serviceMs: sorted[sorted.length >> 1] ?? 0 }
  }

  stop(): void {
    this.#instance.stop()
    for (const connection of this.#connections) connection.stop()
  }

  opened(connection: FloodConnection): void {
    this.#idle.push(connection)
    this.pump()
  }

  answered(connection: FloodConnection, answer: Answer): void {
    const refused = answer.status >= 400
    this.#learn(answer, performance.now() - connection.sentMs)
    this.#keep(answer.sightings)
    this.ledger.noteAnswered(1, refused ? 1 : 0)
    if (refused) this.#sendAgain(connection.tries)
    if (connection.idle) this.#idle.push(connection)
    this.pump()
  }

  closed(connection: FloodConnection, unanswered: Answer | null): void {
    const at = this.#idle.indexOf(connection)
    if (at >= 0) this.#idle.splice(at, 1)
    if (!unanswered) return
    this.#keep(unanswered.sightings)
    this.ledger.noteErrors(1)
    this.#sendAgain(connection.tries)
    this.pump()
  }

  #sendAgain(tries: number): void {
    if (tries < this.#plan.retries && this.ledger.left > this.#again.length) this.#again.push(tries + 1)
  }

  /** The other body comes as evenly as its share allows. */
  #pick(): number {
    const share = this.#plan.other?.share ?? 0
    const others = Math.floor(this.ledger.sent * share)
    const another = others > this.#others
    this.#others = others
    return another ? 1 : 0
  }

  /** In both arms, so that both cost the same. */
  #keep(sightings: readonly Sighting[]): void {
    if (this.#seen.length < SIGHTINGS_A_BLOCK) this.#seen.push(...sightings)
  }

  #learn({ status, headers, body }: Answer, serviceMs: number): void {
    let kind = this.#kinds.get(status)
    if (!kind) {
      kind = { count: 0, headers, body, serviceMs: [] }
      this.#kinds.set(status, kind)
    }
    kind.count++
    if (kind.serviceMs.length < SERVICE_TIMES_KEPT) kind.serviceMs.push(serviceMs)
  }
}
