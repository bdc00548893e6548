// Canaries by the name of their owner, and the owners of those that are found somewhere. Refuses to hand out the key.

import { randomBytes } from 'node:crypto'
import { Canaries, type CanaryMint, type Sighting } from './canary.ts'

export interface OwnedSighting extends Omit<Sighting, 'owner'> {
  owner: string
}

export class CanaryBook {
  readonly #canaries = new Canaries(randomBytes(16).toString('hex'))
  readonly #mints = new Map<string, CanaryMint>()
  /** Owners are numbered as they come. */
  readonly #owners: string[] = []

  /** A fresh canary. */
  fresh(owner: string): string {
    let mint = this.#mints.get(owner)
    if (!mint) {
      mint = this.#canaries.mintFor(this.#owners.length)
      this.#owners.push(owner)
      this.#mints.set(owner, mint)
    }
    return mint.mint()
  }

  digestOf(canary: string): string {
    const read = this.#canaries.read(canary)
    if (!read) throw new Error('this is no canary of this book')
    return read.digest
  }

  find(text: string): OwnedSighting[] {
    return this.#canaries.scan(Buffer.from(text)).map((sighting) => {
      return { ...sighting, owner: this.#owners[sighting.owner] ?? `owner ${sighting.owner}` }
    })
  }
}
