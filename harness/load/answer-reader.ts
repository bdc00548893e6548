// Reads one answer after the other of one connection: status, headers, body, and the canaries in them. A canary is found
// in a header's value, and where it is split over pieces of the body. Refuses to hold more than 256 KiB of a body.

import { CANARY_LENGTH, type Sighting } from '../tenants/canary.ts'
import type { Scanner } from '../tenants/scanner.ts'

const HELD_BYTES = 256 * 1024
/** The longest form of a canary is two bytes a character; one byte less can hold no whole one of that form. */
const TAIL_BYTES = 2 * CANARY_LENGTH - 1

export interface Answer {
  status: number
  /** Names and values in turns. */
  headers: string[]
  /** Its last part, where it was longer than is held. */
  body: Buffer
  sightings: Sighting[]
}

export class AnswerReader {
  readonly #scanner: Scanner
  #status = 0
  #headers: string[] = []
  #pieces: Buffer[] = []
  #bytes = 0
  #sightings: Sighting[] = []

  constructor(scanner: Scanner) {
    this.#scanner = scanner
  }

  head(status: number, headers: string[]): void {
    this.#status = status
    this.#headers = headers
  }

  piece(piece: Buffer): void {
    this.#pieces.push(piece)
    this.#bytes += piece.length
    if (this.#bytes <= HELD_BYTES) return
    const held = Buffer.concat(this.#pieces)
    this.#sightings.push(...this.#scanner.body(held))
    // A canary that lies wholly in the tail is counted twice, which is better than not at all.
    const tail = Buffer.from(held.subarray(-TAIL_BYTES))
    this.#pieces = [tail]
    this.#bytes = tail.length
  }

  /** The answer, or what came of it, and room for the next. */
  end(): Answer {
    const body = Buffer.concat(this.#pieces)
    const head = this.#scanner.headers(this.#headers.join('\n'))
    const sightings = [...this.#sightings, ...head, ...this.#scanner.body(body)]
    const answer = { status: this.#status, headers: this.#headers, body, sightings }
    this.#status = 0
    this.#headers = []
    this.#pieces = []
    this.#bytes = 0
    this.#sightings = []
    return answer
  }
}
