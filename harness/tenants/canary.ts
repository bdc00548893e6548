// Canaries: markers whose owner can be decoded, and the scan that finds them in any usual encoding.
// A marker carries a keyed check, so that text which merely looks like one is never taken for a leak.

import { createHmac } from 'node:crypto'
import { candidatesOf, type Encoding, unwrapped } from './encodings.ts'

const PREFIX = 'pwcanary'
const OWNER = 2
const SERIAL = 6
const CHECK = 8
export const CANARY_LENGTH = PREFIX.length + OWNER + SERIAL + CHECK

export interface Sighting {
  owner: number
  /** The canary itself is never kept: first 12 hex digits of its HMAC. */
  digest: string
  encoding: Encoding
}

const eachCandidate = candidatesOf({ prefix: PREFIX, length: CANARY_LENGTH })
/** Layers that are taken off: an escaped text in gzip is two. A bound, for there is gzip that holds itself. */
const LAYERS = 2

export interface CanaryMint {
  /** A fresh canary of one tenant. */
  mint(): string
  readonly issued: number
}

/** Knows the run's canary key; makes canaries and recognises them. */
export class Canaries {
  readonly #key: string

  constructor(key: string) {
    this.#key = key
  }

  #mac(text: string): string {
    return createHmac('sha256', this.#key).update(text).digest('hex')
  }

  /** @param from first serial, so that several makers of one tenant's canaries do not meet */
  mintFor(owner: number, from = 0): CanaryMint {
    let serial = from
    let issued = 0
    const ownerText = owner.toString(36).padStart(OWNER, '0')
    return {
      mint: () => {
        issued++
        const body = ownerText + (serial++).toString(36).padStart(SERIAL, '0')
        return PREFIX + body + this.#mac(body).slice(0, CHECK)
      },
      get issued() {
        return issued
      },
    }
  }

  /** The owner of a canary's text, or null when the check does not agree. */
  read(text: string): { owner: number; digest: string } | null {
    const body = text.slice(PREFIX.length, PREFIX.length + OWNER + SERIAL)
    const mac = this.#mac(body)
    if (mac.slice(0, CHECK) !== text.slice(PREFIX.length + OWNER + SERIAL, CANARY_LENGTH)) return null
    return { owner: Number.parseInt(body.slice(0, OWNER), 36), digest: this.#mac(text).slice(0, 12) }
  }

  /** Every canary in these bytes, in every encoding that is looked for. Of wrapped ones the outermost layer is named. */
  scan(bytes: Buffer): Sighting[] {
    const found: Sighting[] = []
    this.#scanText(bytes.toString('latin1'), LAYERS, null, found)
    return found
  }

  #scanText(text: string, layers: number, within: Encoding | null, found: Sighting[]): void {
    // An unescaped text still holds what stood in it unescaped: that was seen before.
    const before = within === null ? null : new Set(found.map(({ digest }) => digest))
    eachCandidate(text, (candidate, encoding) => {
      const read = this.read(candidate)
      if (read && !before?.has(read.digest)) found.push({ ...read, encoding: within ?? encoding })
    })
    if (layers === 0) return
    for (const inner of unwrapped(text)) this.#scanText(inner.text, layers - 1, within ?? inner.encoding, found)
  }
}
