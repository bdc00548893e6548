// Counts Redis' replies to commands that each have one short reply, byte by byte: a reply may be cut anywhere. Just enough
// of RESP2 for the stream flood; refuses arrays and whatever is no reply, by saying so.

type State = 'type' | 'length' | 'skip' | 'line'

const BULK = 0x24 // $
const ERROR = 0x2d // -
const STATUS = 0x2b // +
const INTEGER = 0x3a // :
const MINUS = 0x2d
const ZERO = 0x30
const NINE = 0x39
const CR = 0x0d
const LF = 0x0a

export interface Replies {
  ok: number
  /** Errors, and the null of a command that wrote nothing. */
  errors: number
}

export class ReplyCounter {
  #state: State = 'type'
  /** Of a line: whether it is an error. */
  #isError = false
  /** Of a bulk string: its length as far as it is read; then how many bytes are to be skipped. */
  #length = 0
  #isNull = false

  /** @returns the replies that these bytes complete; null when they are none, and nothing after them can be trusted */
  count(chunk: Buffer): Replies | null {
    const seen = { ok: 0, errors: 0 }
    for (let at = 0; at < chunk.length; at++) {
      const byte = chunk[at] ?? 0
      switch (this.#state) {
        case 'type':
          if (!this.#begin(byte)) return null
          break
        case 'length':
          if (byte >= ZERO && byte <= NINE) this.#length = this.#length * 10 + byte - ZERO
          else if (byte === MINUS) this.#isNull = true
          else if (byte === LF) this.#bulk(seen)
          else if (byte !== CR) return null
          break
        case 'skip': {
          const skipped = Math.min(this.#length, chunk.length - at)
          this.#length -= skipped
          at += skipped - 1
          if (this.#length === 0) this.#end(seen)
          break
        }
        case 'line':
          if (byte === LF) this.#end(seen)
      }
    }
    return seen
  }

  #begin(byte: number): boolean {
    this.#isError = byte === ERROR
    this.#length = 0
    this.#isNull = false
    if (byte === BULK) this.#state = 'length'
    else if (byte === ERROR || byte === STATUS || byte === INTEGER) this.#state = 'line'
    else return false
    return true
  }

  #bulk(seen: Replies): void {
    if (this.#isNull) {
      this.#isError = true
      this.#end(seen)
      return
    }
    this.#length += 2 // and its end of line
    this.#state = 'skip'
  }

  #end(seen: Replies): void {
    if (this.#isError) seen.errors++
    else seen.ok++
    this.#state = 'type'
  }
}
