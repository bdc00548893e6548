// Scans a stream for canaries piece by piece, so that one which is cut by the seam of two pieces is found, and none is
// counted twice. Keeps no more than a short tail.

import type { Sighting } from './canary.ts'

/** Longer than a canary in any of its usual encodings; an escape of six characters for each of its 24 is 144. */
const TAIL_BYTES = 256

export class SeamScan {
  readonly #scan: (bytes: Buffer) => Sighting[]
  #tail = Buffer.alloc(0)

  constructor(scan: (bytes: Buffer) => Sighting[]) {
    this.#scan = scan
  }

  /** What this piece brought to sight: all in tail and piece together, less what was in the tail already. */
  next(piece: Buffer): Sighting[] {
    const joined = this.#tail.length === 0 ? piece : Buffer.concat([this.#tail, piece])
    const found = this.#scan(joined)
    for (const known of found.length === 0 ? [] : this.#scan(this.#tail)) {
      const at = found.findIndex((s) => s.digest === known.digest && s.encoding === known.encoding)
      if (at >= 0) found.splice(at, 1)
    }
    // A copy: a view would hold the whole piece.
    this.#tail = Buffer.from(joined.subarray(-TAIL_BYTES))
    return found
  }
}
