// What a tenant receives, scanned for canaries, by the sink that it comes through. Everybody who looks for canaries in
// answers looks through one of these, so that the check of a scanner checks what the run uses. Refuses to know whose
// answer it is.

import type { Canaries, Sighting } from './canary.ts'
import { SeamScan } from './seam.ts'

export interface Scanner {
  /** A whole body, or a whole part of one. */
  body(bytes: Buffer): Sighting[]
  /** Names and values as text of one byte a character. */
  headers(text: string): Sighting[]
  /** A stream of its own; its pieces in turn. */
  stream(): { next(piece: Buffer): Sighting[] }
}

export type Sink = keyof Scanner

export const scannerOf = (canaries: Pick<Canaries, 'scan'>): Scanner => ({
  body: (bytes) => canaries.scan(bytes),
  headers: (text) => canaries.scan(Buffer.from(text, 'latin1')),
  stream: () => new SeamScan((bytes) => canaries.scan(bytes)),
})
