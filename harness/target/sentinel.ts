// Tells whether the noisy backlog of an http target is gone, by a run of the noisy tenant that is sent behind it: when it
// comes back, everything before it is behind it. Refuses to read a refusal as an answer, and to hold up who asks.

import { request } from 'undici'
import { pick } from './json-path.ts'
import type { CalledAccess } from './port.ts'

/** One that takes longer is given up, and another one sent. */
const BACK_WITHIN_MS = 10_000
/** A look does not wait longer for it. */
const LOOK_MS = 250

type Flight = Promise<'back' | 'refused'>

export class Sentinel {
  readonly #access: CalledAccess
  /** Accepted and not back yet, or not even answered. */
  #flight: Flight | null = null

  constructor(access: CalledAccess) {
    this.#access = access
  }

  /** @returns 0 when it is back, 1 while it is under way, null when it was refused. @throws when there is no answer */
  async look(): Promise<number | null> {
    this.#flight ??= this.#fly()
    const flight = this.#flight
    // It may fail while nobody looks; the next look will be told.
    flight.catch(() => {})
    const over = Promise.withResolvers<'under way'>()
    const timer = setTimeout(over.resolve, LOOK_MS, 'under way')
    try {
      const seen = await Promise.race([flight, over.promise])
      if (seen === 'under way') return 1
      this.#flight = null
      return seen === 'back' ? 0 : null
    } catch (error) {
      this.#flight = null
      throw error
    } finally {
      clearTimeout(timer)
    }
  }

  async #fly(): Flight {
    const { start, startIdAt, completion } = this.#access
    const until = performance.now() + BACK_WITHIN_MS
    const started = await this.#call('POST', start.path, start.body?.replaceAll('{{canary}}', 'sentinel'))
    if (started.status >= 300 && (started.status < 500 || started.status === 503)) return 'refused'
    if (started.status >= 500) throw new Error(`a start of the noisy tenant was answered with ${started.status}`)
    if (completion.by !== 'poll') return 'back'
    const id = String(pick(JSON.parse(started.text), startIdAt ?? 'id'))
    const path = completion.path.replaceAll('{id}', encodeURIComponent(id))
    while (performance.now() < until) {
      const seen = await this.#call('GET', path)
      const status = seen.status < 300 ? pick(JSON.parse(seen.text), completion.statusAt) : null
      if (typeof status === 'string' && [...completion.done, ...completion.failed].includes(status)) return 'back'
      await new Promise((resolve) => setTimeout(resolve, completion.everyMs))
    }
    throw new Error(`a run of the noisy tenant did not come back within ${BACK_WITHIN_MS} ms`)
  }

  async #call(method: 'GET' | 'POST', path: string, body?: string) {
    const { origin, start } = this.#access
    const timeouts = { headersTimeout: BACK_WITHIN_MS, bodyTimeout: BACK_WITHIN_MS }
    const answer = await request(`${origin}${path}`, {
      method,
      headers: start.headers,
      body: body ?? null,
      ...timeouts,
    })
    return { status: answer.statusCode, text: await answer.body.text() }
  }
}
