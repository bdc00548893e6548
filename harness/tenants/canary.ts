// Canaries: markers whose owner can be decoded, and the scan that finds them in any usual encoding.
// A marker carries a keyed check, so that text which merely looks like one is never taken for a leak.

import { createHmac } from 'node:crypto'
import { gunzipSync } from 'node:zlib'

const PREFIX = 'pwcanary'
const OWNER = 2
const SERIAL = 6
const CHECK = 8
export const CANARY_LENGTH = PREFIX.length + OWNER + SERIAL + CHECK

export interface Sighting {
  owner: number
  /** The canary itself is never kept: first 12 hex digits of its HMAC. */
  digest: string
  encoding: 'plain' | 'base64' | 'hex' | 'utf16' | 'gzip'
}

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

  /** Every canary in these bytes, in every encoding that is looked for. */
  scan(bytes: Buffer): Sighting[] {
    const found: Sighting[] = []
    this.#scanText(bytes.toString('latin1'), found)
    if (bytes[0] === 0x1f && bytes[1] === 0x8b) {
      for (const inner of this.#scanGzip(bytes)) found.push({ ...inner, encoding: 'gzip' })
    }
    return found
  }

  #scanGzip(bytes: Buffer): Sighting[] {
    try {
      return this.scan(gunzipSync(bytes, { maxOutputLength: 16 * 1024 * 1024 }))
    } catch {
      return [] // not gzip after all, or cut short: the raw bytes were scanned already
    }
  }

  #scanText(text: string, found: Sighting[]): void {
    const add = (canary: string, encoding: Sighting['encoding']) => {
      const read = this.read(canary)
      if (read) found.push({ ...read, encoding })
    }
    eachIndex(text, PREFIX, (at) => add(text.slice(at, at + CANARY_LENGTH), 'plain'))
    for (const needle of BASE64_NEEDLES) {
      eachIndex(text, needle.text, (at) => {
        const start = at - needle.skippedChars
        if (start < 0) return
        const chars = text.slice(start, start + Math.ceil(((needle.shift + CANARY_LENGTH) * 4) / 3))
        const decoded = Buffer.from(chars, 'base64').toString('latin1')
        add(decoded.slice(needle.shift, needle.shift + CANARY_LENGTH), 'base64')
      })
    }
    for (const hex of HEX_NEEDLES) {
      eachIndex(text, hex, (at) => {
        add(Buffer.from(text.slice(at, at + 2 * CANARY_LENGTH), 'hex').toString('latin1'), 'hex')
      })
    }
    eachIndex(text, UTF16_NEEDLE, (at) => {
      add(text.slice(at, at + 2 * CANARY_LENGTH).replaceAll('\0', ''), 'utf16')
    })
  }
}

function eachIndex(text: string, needle: string, visit: (at: number) => void): void {
  for (let at = text.indexOf(needle); at >= 0; at = text.indexOf(needle, at + 1)) visit(at)
}

/** The prefix as it looks in base64 at each of the three byte offsets, less the characters that depend on what stands beside it. */
const BASE64_NEEDLES = [0, 1, 2].map((shift) => {
  const encoded = Buffer.concat([Buffer.alloc(shift), Buffer.from(PREFIX)]).toString('base64')
  const skippedChars = Math.ceil((shift * 8) / 6)
  const wholeChars = Math.floor(((shift + PREFIX.length) * 8) / 6)
  return { shift, skippedChars, text: encoded.slice(skippedChars, wholeChars) }
})

const HEX_NEEDLES = [Buffer.from(PREFIX).toString('hex'), Buffer.from(PREFIX).toString('hex').toUpperCase()]

// 'p\0w\0…y': both byte orders hold this run of bytes.
const UTF16_NEEDLE = [...PREFIX].join('\0')
