// One of autocannon's connections, tamed from outside. By itself autocannon connects again at once, and for ever, to a
// target that hangs up or is not there; forgets a request that was under way when the target hung up; and throws out of its
// socket's listener at an answer that nobody asked for. So the socket is ours: autocannon builds the requests and reads the
// answers, and sends only when told. A lost request is told, never sent again from here.

import { connect as connectTcp, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import type { Scanner } from '../tenants/scanner.ts'
import { type Answer, AnswerReader } from './answer-reader.ts'
import type { Backoff } from './backoff.ts'

/** autocannon's client, as far as we drive it (9.0.0, pinned). */
export interface AutocannonClient {
  readonly secure: boolean
  readonly opts: { hostname: string; port: number | string }
  readonly parser: { execute(chunk: Buffer): number | Error; finish(): unknown; reinitialize(type: 'RESPONSE'): void }
  readonly pipelinedRequests: { clear(): void }
  readonly requestIterator: { requests: Array<{ requestBuffer: Buffer }> }
  conn: Socket
  _connect(): void
  _doRequest(): void
  getRequestBuffer(): Buffer
  destroy(): void
  on(event: 'headers', listener: (head: Head) => void): void
  on(event: 'body', listener: (piece: Buffer) => void): void
  on(event: 'response', listener: () => void): void
}

interface Head {
  statusCode: number
  headers: string[]
  shouldKeepAlive: boolean
}

export interface Told {
  /** Connected, and free for a request. */
  opened(connection: FloodConnection): void
  /** Free again, unless the target hangs up after each answer. */
  answered(connection: FloodConnection, answer: Answer): void
  /** Lost; with what came of an answer, when a request was under way. */
  closed(connection: FloodConnection, unanswered: Answer | null): void
}

type State = 'away' | 'idle' | 'asking' | 'ended'

export class FloodConnection {
  /** How often the request under way was sent before. */
  tries = 0
  sentMs = 0
  readonly #client: AutocannonClient
  readonly #sendNow: () => void
  readonly #told: Told
  readonly #reader: AnswerReader
  readonly #backoff: Backoff
  #state: State = 'away'
  #pick = 0
  #complete = false
  #keepAlive = true
  /** Since it was connected. */
  #wasOfUse = false
  #timer: NodeJS.Timeout | undefined

  /** @param client while autocannon constructs it, so before it connects */
  constructor(client: AutocannonClient, told: Told, scanner: Scanner, backoff: Backoff) {
    this.#client = client
    this.#told = told
    this.#reader = new AnswerReader(scanner)
    this.#backoff = backoff
    // What the prototype does, when we say so; by itself the client does neither.
    this.#sendNow = client._doRequest.bind(client)
    client._doRequest = () => {}
    client._connect = () => {}
    client.getRequestBuffer = () => {
      const request = client.requestIterator.requests[this.#pick]
      if (!request) throw new Error(`the flood has no request ${this.#pick}`)
      return request.requestBuffer
    }
    client.on('headers', ({ statusCode, headers, shouldKeepAlive }) => {
      this.#keepAlive = shouldKeepAlive
      this.#reader.head(statusCode, headers)
    })
    client.on('body', (piece) => this.#reader.piece(piece))
    client.on('response', () => {
      this.#complete = true
    })
    this.#connect()
  }

  get idle(): boolean {
    return this.#state === 'idle'
  }

  /** @param pick which of the flood's requests */
  send(pick: number, tries: number): void {
    this.#pick = pick
    this.tries = tries
    this.sentMs = performance.now()
    this.#state = 'asking'
    this.#sendNow()
  }

  /** Hangs up on a request under way, which is not told again. @returns what came of its answer; null without one */
  abandon(): Answer | null {
    if (this.#state !== 'asking') return null
    this.#hangUp()
    this.#state = 'away'
    return this.#reader.end()
  }

  stop(): void {
    this.#state = 'ended'
    clearTimeout(this.#timer)
    this.#client.destroy()
  }

  #hangUp(): void {
    this.#client.conn.destroy()
  }

  #connect(): void {
    const client = this.#client
    const { hostname: host } = client.opts
    const port = Number(client.opts.port)
    client.pipelinedRequests.clear()
    client.parser.reinitialize('RESPONSE')
    this.#wasOfUse = false
    const socket = client.secure ? connectTls({ host, port, rejectUnauthorized: false }) : connectTcp({ host, port })
    client.conn = socket
    socket.setNoDelay(true)
    socket.once(client.secure ? 'secureConnect' : 'connect', () => {
      this.#state = 'idle'
      this.#told.opened(this)
    })
    socket.on('data', (chunk) => this.#hear(chunk))
    // An answer that says no length ends with its connection.
    socket.on('end', () => {
      client.parser.finish()
      this.#answered()
      if (this.#state === 'idle') this.#state = 'away'
    })
    socket.on('error', () => {}) // 'close' follows
    socket.once('close', () => this.#closed())
  }

  #hear(chunk: Buffer): void {
    if (this.#state !== 'asking') {
      // What nobody asked for, for instance 408 on an idle connection: the target is about to hang up.
      this.#hangUp()
      return
    }
    let understood = true
    try {
      understood = !(this.#client.parser.execute(chunk) instanceof Error)
    } catch {
      understood = false // autocannon's own way to meet a second answer to one request
    }
    if (!understood) this.#keepAlive = false
    this.#answered()
    if (!understood) this.#hangUp()
  }

  /** Told after the parser has come back, so that whatever follows from it does not run inside. */
  #answered(): void {
    if (!this.#complete) return
    this.#complete = false
    this.#wasOfUse = true
    this.#backoff.reset()
    const answer = this.#reader.end()
    this.#state = this.#keepAlive ? 'idle' : 'away'
    if (!this.#keepAlive) this.#hangUp()
    this.#told.answered(this, answer)
  }

  #closed(): void {
    if (this.#state === 'ended') return
    const unanswered = this.#state === 'asking' ? this.#reader.end() : null
    this.#state = 'away'
    // After an answer at once: who hangs up each time is asked anew each time, and the answers set the pace.
    this.#timer = setTimeout(() => this.#connect(), this.#wasOfUse ? 0 : this.#backoff.take())
    this.#told.closed(this, unanswered)
  }
}
