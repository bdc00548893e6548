// Where a marker may stand in a text, in every usual encoding, and what lies wrapped in the text. Finds candidates by
// their prefix only; it refuses to say whether one is genuine.
// Texts are bytes as latin1: one character a byte.

import { constants, inflateRawSync } from 'node:zlib'

export type Encoding = 'plain' | 'json' | 'url' | 'base64' | 'hex' | 'utf16' | 'gzip'

export interface Marker {
  prefix: string
  /** Characters in all, prefix included; letters and digits only. */
  length: number
}

const MAX_INFLATED_BYTES = 16 * 1024 * 1024
/** Gzip members that are tried in one text: their magic number is three bytes, which chance can make. */
const MAX_GZIPS = 4
const GZIP_MAGIC = '\x1f\x8b\x08'
/** Escaped letters and digits only; all other escapes cannot belong to a marker. */
const URL_ESCAPED = /%(?:3\d|[46][1-9a-f]|[57][0-9a])/i
const JSON_ESCAPED = '\\u00'

/**
 * A searcher for one kind of marker. It runs on every response: a text that holds none is searched for nine fixed
 * strings, natively, and nothing is decoded.
 */
export function candidatesOf({ prefix, length }: Marker) {
  const base64 = [0, 1, 2].map((shift) => base64Needle(prefix, shift))
  // Upper and lower case are the same up to the first letter; the rest is compared when it is decoded.
  const [hex = ''] = Buffer.from(prefix).toString('hex').split(/[a-f]/)
  // 'p\0w\0…y': both byte orders hold this run of bytes.
  const utf16 = [...prefix].join('\0')

  return (text: string, visit: (candidate: string, encoding: Encoding) => void): void => {
    eachIndex(text, prefix, (at) => visit(text.slice(at, at + length), 'plain'))
    for (const { needle, skippedChars, shift } of base64) {
      eachIndex(text, needle, (at) => {
        const start = at - skippedChars
        if (start < 0) return
        const chars = text.slice(start, start + Math.ceil(((shift + length) * 4) / 3))
        const decoded = Buffer.from(chars, 'base64').toString('latin1')
        visit(decoded.slice(shift, shift + length), 'base64')
      })
    }
    eachIndex(text, hex, (at) => {
      visit(Buffer.from(text.slice(at, at + 2 * length), 'hex').toString('latin1'), 'hex')
    })
    eachIndex(text, utf16, (at) => {
      visit(
        text
          .slice(at, at + 2 * length)
          .replaceAll('\0', '')
          .slice(0, length),
        'utf16',
      )
    })
  }
}

/** The prefix as it looks in base64 at one byte offset, less the characters that depend on what stands beside it. */
function base64Needle(prefix: string, shift: number) {
  const encoded = Buffer.concat([Buffer.alloc(shift), Buffer.from(prefix)]).toString('base64')
  const skippedChars = Math.ceil((shift * 8) / 6)
  const wholeChars = Math.floor(((shift + prefix.length) * 8) / 6)
  return { shift, skippedChars, needle: encoded.slice(skippedChars, wholeChars) }
}

/** What lies one layer deeper in this text: escapes undone, gzip inflated. Mostly nothing. */
export function unwrapped(text: string): Array<{ text: string; encoding: Encoding }> {
  const inner: Array<{ text: string; encoding: Encoding }> = []
  if (text.includes('%') && URL_ESCAPED.test(text)) {
    inner.push({ text: text.replace(/%([0-9a-f]{2})/gi, fromHex), encoding: 'url' })
  }
  if (text.includes(JSON_ESCAPED)) {
    // However often it was escaped: JSON within JSON doubles the backslashes.
    inner.push({ text: text.replace(/\\+u00([0-9a-f]{2})/gi, fromHex), encoding: 'json' })
  }
  let tried = 0
  for (let at = text.indexOf(GZIP_MAGIC); at >= 0 && tried < MAX_GZIPS; at = text.indexOf(GZIP_MAGIC, at + 1)) {
    tried++
    const inflated = inflate(Buffer.from(text.slice(at), 'latin1'))
    if (inflated) inner.push({ text: inflated, encoding: 'gzip' })
  }
  return inner
}

const fromHex = (_: string, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))

/**
 * One gzip member; what was cut short gives what came of it, and what follows it is let alone (`gunzip` would refuse it).
 * @returns null when it is no gzip after all, or too much
 */
function inflate(bytes: Buffer): string | null {
  try {
    const options = { maxOutputLength: MAX_INFLATED_BYTES, finishFlush: constants.Z_SYNC_FLUSH }
    return inflateRawSync(bytes.subarray(gzipHeadBytes(bytes)), options).toString('latin1')
  } catch {
    return null
  }
}

/** RFC 1952: ten bytes, then what the flags in the fourth say: extra field, name, comment, checksum. */
function gzipHeadBytes(bytes: Buffer): number {
  const flags = bytes[3] ?? 0
  let at = 10
  if (flags & 4) at += 2 + (bytes[at] ?? 0) + 256 * (bytes[at + 1] ?? 0)
  for (const named of [8, 16]) if (flags & named) at = bytes.indexOf(0, at) + 1 || bytes.length
  return flags & 2 ? at + 2 : at
}

function eachIndex(text: string, needle: string, visit: (at: number) => void): void {
  for (let at = text.indexOf(needle); at >= 0; at = text.indexOf(needle, at + 1)) visit(at)
}
