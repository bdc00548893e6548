// A lean pipelined writer of one XADD, the same bytes each time, for the stream flood only. ioredis makes an object, a
// promise and a parsed reply of every command, which costs the thread several times what Redis pays for the entry: one
// thread could not flood with it, and the noise makers' own CPU would be most of what is measured. Here k commands are a slice of a
// buffer made beforehand, and replies are only counted. The window of unanswered entries is bounded; what was on its way on
// a lost connection counts as errors and is never sent again, as it would be written twice.

import { connect as connectTcp, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { Backoff } from './backoff.ts'
import { BlockLedger } from './block-ledger.ts'
import type { Flood } from './noise-block.ts'
import { type Replies, ReplyCounter } from './reply-counter.ts'

export interface XaddPlan {
  redisUrl: string
  key: string
  fields: Record<string, string>
  sockets?: number
  /** Unanswered entries at most, over all sockets. */
  windowEntries?: number
}

const WINDOW_ENTRIES = 2048
/** Commands in one write, at most: beyond some ten kilobytes more of them save nothing. */
const BATCH_BYTES = 64 * 1024

function command(parts: readonly string[]): Buffer {
  const words = parts.map((part) => `$${Buffer.byteLength(part)}\r\n${part}\r\n`)
  return Buffer.from(`*${parts.length}\r\n${words.join('')}`)
}

/** What is said first on a connection: who we are, and which database. Holds the password: never to be logged. */
function greeting({ username, password, pathname }: URL): Buffer[] {
  const said: Buffer[] = []
  if (password !== '') {
    const user = username === '' ? [] : [decodeURIComponent(username)]
    said.push(command(['AUTH', ...user, decodeURIComponent(password)]))
  }
  const database = pathname.slice(1)
  if (database !== '' && database !== '0') said.push(command(['SELECT', database]))
  return said
}

export class XaddWriter implements Flood {
  readonly ledger = new BlockLedger()
  readonly #wires: Wire[]
  readonly #windowEach: number
  readonly #commands: Buffer
  readonly #commandBytes: number
  readonly #batch: number
  #turn = 0

  constructor({ redisUrl, key, fields, sockets = 1, windowEntries = WINDOW_ENTRIES }: XaddPlan) {
    const one = command(['XADD', key, '*', ...Object.entries(fields).flat()])
    this.#windowEach = Math.max(1, Math.floor(windowEntries / sockets))
    this.#commandBytes = one.length
    this.#batch = Math.max(1, Math.min(this.#windowEach, Math.floor(BATCH_BYTES / one.length)))
    this.#commands = Buffer.concat(Array.from({ length: this.#batch }, () => one))
    const url = new URL(redisUrl)
    this.#wires = Array.from({ length: sockets }, (_, i) => new Wire(url, new Backoff(i / sockets), this))
  }

  pump(): void {
    for (let full = 0; full < this.#wires.length && this.ledger.due > 0; ) {
      const wire = this.#wires[this.#turn++ % this.#wires.length] as Wire
      const room = wire.isOpen ? this.#windowEach - wire.unanswered : 0
      const entries = Math.min(room, this.ledger.due, this.#batch)
      if (entries === 0) full++
      else {
        this.ledger.noteSent(entries)
        wire.write(this.#commands.subarray(0, entries * this.#commandBytes), entries)
      }
    }
  }

  abandon(): void {
    for (const wire of this.#wires) wire.abandon()
  }

  stop(): void {
    for (const wire of this.#wires) wire.stop()
  }

  answered({ ok, errors }: Replies): void {
    if (ok > 0) this.ledger.noteAnswered(ok)
    if (errors > 0) this.ledger.noteErrors(errors)
    this.pump()
  }
}

/** One connection. */
class Wire {
  unanswered = 0
  isOpen = false
  readonly #url: URL
  readonly #backoff: Backoff
  readonly #writer: XaddWriter
  #socket: Socket | null = null
  #greetings = 0
  #replies = new ReplyCounter()
  #stopped = false
  #timer: NodeJS.Timeout | undefined

  constructor(url: URL, backoff: Backoff, writer: XaddWriter) {
    this.#url = url
    this.#backoff = backoff
    this.#writer = writer
    this.#connect()
  }

  write(bytes: Buffer, entries: number): void {
    this.unanswered += entries
    this.#socket?.write(bytes)
  }

  /** Hangs up on unanswered entries, and counts them. */
  abandon(): void {
    if (this.unanswered > 0) this.#lose()
  }

  stop(): void {
    this.#stopped = true
    clearTimeout(this.#timer)
    this.#lose()
  }

  #connect(): void {
    const { hostname, port, protocol } = this.#url
    const to = { host: hostname.replace(/^\[|\]$/g, ''), port: Number(port || 6379) }
    const isTls = protocol === 'rediss:'
    const socket = isTls ? connectTls(to) : connectTcp(to)
    this.#socket = socket
    this.#replies = new ReplyCounter()
    socket.setNoDelay(true)
    socket.once(isTls ? 'secureConnect' : 'connect', () => {
      const said = greeting(this.#url)
      this.#greetings = said.length
      for (const words of said) socket.write(words)
      if (said.length === 0) this.#open()
    })
    socket.on('data', (chunk) => this.#hear(chunk))
    socket.on('error', () => {}) // 'close' follows
    socket.once('close', () => {
      if (this.#socket === socket) this.#lose()
    })
  }

  #open(): void {
    this.isOpen = true
    this.#writer.pump()
  }

  #hear(chunk: Buffer): void {
    const replies = this.#replies.count(chunk)
    if (!replies || replies.ok + replies.errors > this.unanswered + this.#greetings) {
      this.#lose()
      return
    }
    if (this.#greetings > 0) {
      // No entry is sent before the last greeting is answered, so these replies are the greetings'.
      if (replies.errors > 0) this.#lose()
      else {
        this.#greetings -= replies.ok
        if (this.#greetings === 0) this.#open()
      }
      return
    }
    this.#backoff.reset()
    this.unanswered -= replies.ok + replies.errors
    this.#writer.answered(replies)
  }

  /** The connection is of no use any more: what was on its way is lost, and a new one is made later. */
  #lose(): void {
    const socket = this.#socket
    this.#socket = null
    this.isOpen = false
    socket?.destroy()
    const errors = this.unanswered
    this.unanswered = 0
    if (!this.#stopped) this.#timer = setTimeout(() => this.#connect(), this.#backoff.take())
    if (errors > 0) this.#writer.answered({ ok: 0, errors })
  }
}
