// The scanner's self-test, in each run: a canary of a tenant that nobody is goes through every sink in every encoding that
// the scanner claims to know, and must come out. Sends nothing; refuses to call a scanner that throws a sound one.

import { gzipSync } from 'node:zlib'
import type { ScanCheck } from '../evidence/run.ts'
import type { Canaries, Sighting } from './canary.ts'
import type { Encoding } from './encodings.ts'
import type { Scanner, Sink } from './scanner.ts'

/** The last owner that two characters of base 36 can name; a scenario has at most 64 tenants. */
const NOBODY = 36 ** 2 - 1

const hexOf = (byte: number) => byte.toString(16).padStart(2, '0')
const each = (text: string, write: (byte: number) => string) => [...Buffer.from(text)].map(write).join('')
const utf16 = (text: string) => Buffer.from(text, 'utf16le')

/** Every form of each encoding: base64 looks different at each of three offsets, UTF-16 in each byte order. */
const forms: Record<Encoding, (canary: string) => Buffer[]> = {
  plain: (canary) => [Buffer.from(canary)],
  json: (canary) => [Buffer.from(each(canary, (byte) => `\\u00${hexOf(byte)}`))],
  url: (canary) => [Buffer.from(each(canary, (byte) => `%${hexOf(byte)}`))],
  base64: (canary) => ['', 'x', 'xx'].map((before) => Buffer.from(Buffer.from(before + canary).toString('base64'))),
  hex: (canary) => [Buffer.from(Buffer.from(canary).toString('hex'))],
  utf16: (canary) => [utf16(canary), utf16(canary).swap16()],
  gzip: (canary) => [gzipSync(canary)],
}

/** A header's value is text on one line: neither gzip nor UTF-16 can stand in one. */
const IN_HEADERS: readonly Encoding[] = ['plain', 'json', 'url', 'base64', 'hex']
const sinks: Record<Sink, readonly Encoding[]> = {
  body: Object.keys(forms) as Encoding[],
  headers: IN_HEADERS,
  stream: Object.keys(forms) as Encoding[],
}

const through: Record<Sink, (scanner: Scanner, planted: Buffer) => Sighting[]> = {
  body: (scanner, planted) => scanner.body(Buffer.concat([Buffer.from('{"a":"'), planted, Buffer.from('"}')])),
  headers: (scanner, planted) =>
    scanner.headers(`content-type: text/plain\nx-planted: ${planted.toString('latin1')}\n`),
  // Cut in two, as a stream may be anywhere.
  stream: (scanner, planted) => {
    const stream = scanner.stream()
    const half = planted.length >> 1
    return [...stream.next(planted.subarray(0, half)), ...stream.next(planted.subarray(half))]
  },
}

/**
 * @param who whose scanner it is
 * @returns canaries planted and found, each counted once, and the ones that were missed in words
 */
export function checkScanner(who: string, scanner: Scanner, canaries: Canaries): ScanCheck {
  const mint = canaries.mintFor(NOBODY)
  const check: ScanCheck = { who, planted: 0, found: 0, missed: [] }
  for (const sink of Object.keys(sinks) as Sink[]) {
    for (const encoding of sinks[sink]) {
      const canary = mint.mint()
      const digest = canaries.read(canary)?.digest
      for (const planted of forms[encoding](canary)) {
        check.planted++
        const why = missing(() => through[sink](scanner, planted), digest)
        if (why === null) check.found++
        else if (!check.missed.includes(`${encoding} in ${sink}${why}`))
          check.missed.push(`${encoding} in ${sink}${why}`)
      }
    }
  }
  return check
}

/** Null when it was found. */
function missing(scan: () => Sighting[], digest: string | undefined): string | null {
  try {
    return digest !== undefined && scan().some((sighting) => sighting.digest === digest) ? null : ''
  } catch (error) {
    return ` (threw: ${error instanceof Error ? error.message : String(error)})`
  }
}
