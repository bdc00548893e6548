// One tenant's event stream: kept open, cut into events, opened again when it breaks. Understands framing only; what an
// event means is the client's business.

import { StringDecoder } from 'node:string_decoder'
import { Client, type Dispatcher } from 'undici'
import type { Call } from '../target/port.ts'

export interface StreamEvents {
  /** The stream is open and has said something. */
  ready(): void
  /** A new answer begins, with these headers. */
  headers(headers: Record<string, string | string[] | undefined>): void
  /** Bytes of it as they come. */
  piece(bytes: Buffer): void
  /** The data of one event. */
  data(text: string): void
  problem(what: string): void
}

const AGAIN_MS = 100

export class EventStream {
  readonly #origin: string
  readonly #call: Call
  readonly #headersTimeoutMs: number
  readonly #events: StreamEvents
  #client: Client | null = null
  #closed = false

  constructor(origin: string, call: Call, headersTimeoutMs: number, events: StreamEvents) {
    this.#origin = origin
    this.#call = call
    this.#headersTimeoutMs = headersTimeoutMs
    this.#events = events
    this.#open()
  }

  #open(): void {
    this.#client = new Client(this.#origin, { bodyTimeout: 0, headersTimeout: this.#headersTimeoutMs })
    const decoder = new StringDecoder('utf8')
    let rest = ''
    let isOpen = false
    const handler: Dispatcher.DispatchHandler = {
      onRequestStart: () => {},
      onResponseStart: (_controller, status, headers) => {
        isOpen = status === 200
        this.#events.headers(headers)
        if (!isOpen) this.#events.problem(`the event stream answered ${status}`)
      },
      onResponseData: (_controller, piece) => {
        this.#events.piece(piece)
        if (!isOpen) return
        this.#events.ready()
        const events = (rest + decoder.write(piece)).split('\n\n')
        rest = events.pop() ?? ''
        for (const event of events) this.#tell(event)
      },
      onResponseEnd: () => {
        if (isOpen) this.#events.problem('the event stream ended')
        this.#again()
      },
      onResponseError: (_controller, error) => {
        if (!this.#closed) this.#events.problem(`the event stream broke: ${error.message}`)
        this.#again()
      },
    }
    const { method, path, headers } = this.#call
    this.#client.dispatch({ method, path, headers: { ...headers, accept: 'text/event-stream' } }, handler)
  }

  #again(): void {
    if (this.#closed) return
    void this.#client?.destroy().catch(() => {}) // what broke is told already
    setTimeout(() => {
      if (!this.#closed) this.#open()
    }, AGAIN_MS)
  }

  #tell(event: string): void {
    const data = event
      .split('\n')
      .filter((line) => line.startsWith('data:'))
      .map((line) => line.slice(5).trimStart())
      .join('\n')
    if (data !== '') this.#events.data(data)
  }

  async close(): Promise<void> {
    this.#closed = true
    await this.#client?.destroy()
  }
}
