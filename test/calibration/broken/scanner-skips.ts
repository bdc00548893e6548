// H2: scanners that look past one encoding, or do not look into one sink. What is plain they find, so the positive control
// succeeds all the same.

import type { Sighting } from '../../../harness/tenants/canary.ts'
import type { Encoding } from '../../../harness/tenants/encodings.ts'
import { type Scanner, type Sink, scannerOf } from '../../../harness/tenants/scanner.ts'
import { type Broken, instead } from './broken.ts'

const filtered = (scanner: Scanner, keep: (sighting: Sighting) => boolean): Scanner => ({
  body: (bytes) => scanner.body(bytes).filter(keep),
  headers: (text) => scanner.headers(text).filter(keep),
  stream: () => {
    const stream = scanner.stream()
    return { next: (piece) => stream.next(piece).filter(keep) }
  },
})

export interface Skipping {
  what: string
  scanner(sound: Scanner): Scanner
  /** What it misses, as its self-test tells. */
  missed: string[]
}

const pastEncoding = (encoding: Encoding): Skipping => {
  const sinks: Sink[] = encoding === 'gzip' || encoding === 'utf16' ? ['body', 'stream'] : ['body', 'headers', 'stream']
  return {
    what: `a scanner that looks past ${encoding}`,
    scanner: (scanner) => filtered(scanner, (sighting) => sighting.encoding !== encoding),
    missed: sinks.map((sink) => `${encoding} in ${sink}`),
  }
}

const inHeaders = ['plain', 'json', 'url', 'base64', 'hex']
const deafTo = (sink: Sink, deaf: Partial<Scanner>, encodings: readonly string[]): Skipping => ({
  what: `a scanner that does not look into the ${sink}`,
  scanner: (scanner) => ({ ...scanner, ...deaf }),
  missed: encodings.map((encoding) => `${encoding} in ${sink}`),
})

export const skipping: readonly Skipping[] = [
  ...(['base64', 'gzip', 'url', 'json', 'utf16', 'hex'] as const).map(pastEncoding),
  deafTo('headers', { headers: () => [] }, inHeaders),
  deafTo('stream', { stream: () => ({ next: () => [] }) }, [...inHeaders, 'utf16', 'gzip']),
]

/** In a whole run one of each sort: what a self-test finds is told the same way, whatever it is. */
export const scannerSkips: Broken[] = skipping
  .filter(({ what }) => /base64|headers/.test(what))
  .map(({ what, scanner, missed }) => ({
    id: 'H2',
    what,
    instruments: () => instead({ scanner: (canaries) => scanner(scannerOf(canaries)) }),
    says: new RegExp(
      `precondition scanners-see did not hold.*the prober found \\d+ of 27 planted canaries, and missed ${missed.join(', ')}`,
    ),
  }))
