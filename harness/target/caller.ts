// Sends single calls of a tenant and times them, for probes that ask rather than flood. Refuses to judge an answer: no
// answer is status 0.

import { Pool } from 'undici'
import { pick } from './json-path.ts'
import type { Call } from './port.ts'

export interface Answered {
  /** HTTP status; 0 when there was no answer. */
  status: number
  /** Run id in the answer; null when there is none. */
  id: string | null
  /** Microseconds on the run's clock: when it was sent, when its answer was there. */
  leftUs: number
  answeredUs: number
}

const CONNECTIONS = 32
const TIMEOUT_MS = 10_000

export class Caller {
  readonly #pools = new Map<string, Pool>()
  readonly #nowUs: () => number

  constructor(nowUs: () => number) {
    this.#nowUs = nowUs
  }

  /** @param idAt dotted path of an id in the answer */
  async call(origin: string, call: Call, idAt?: string): Promise<Answered> {
    const { text, ...answered } = await this.read(origin, call)
    const { status } = answered
    return { ...answered, id: idAt === undefined || status === 0 || status >= 300 ? null : idIn(text, idAt) }
  }

  /** The whole of the answer; one that breaks off is no answer. */
  async read(origin: string, call: Call): Promise<Omit<Answered, 'id'> & { text: string }> {
    const leftUs = this.#nowUs()
    try {
      const { method, path, headers, body } = call
      const timeouts = { headersTimeout: TIMEOUT_MS, bodyTimeout: TIMEOUT_MS }
      const answer = await this.#pool(origin).request({ method, path, headers, body: body ?? null, ...timeouts })
      const text = await answer.body.text()
      return { status: answer.statusCode, text, leftUs, answeredUs: this.#nowUs() }
    } catch {
      return { status: 0, text: '', leftUs, answeredUs: this.#nowUs() }
    }
  }

  #pool(origin: string): Pool {
    const known = this.#pools.get(origin)
    if (known) return known
    const pool = new Pool(origin, { connections: CONNECTIONS, pipelining: 1 })
    this.#pools.set(origin, pool)
    return pool
  }

  async close(): Promise<void> {
    await Promise.allSettled([...this.#pools.values()].map((pool) => pool.destroy()))
  }
}

function idIn(text: string, idAt: string): string | null {
  try {
    const id = pick(JSON.parse(text), idAt)
    return typeof id === 'string' || typeof id === 'number' ? String(id) : null
  } catch {
    return null
  }
}
