// What the defects in the Redis functions are made of: exact replacements in their source, and a count of trips that the
// source keeps in Redis and this process reads. Refuses a replacement that does not fit the source any more: a defect that
// is not there would look like one that was not caught.

import { randomUUID } from 'node:crypto'
import type { EngineParts } from '../index.ts'
import { FairQueue } from '../queue/fair-queue.ts'
import type { SourcePatch } from '../queue/library.ts'
import type { QueueParts } from '../queue/queue.ts'
import type { Trips } from './trips.ts'

/** `@TRIP@` in a replacement counts a trip. */
export type Replacement = readonly [sound: string, broken: string]

const READ_EVERY_MS = 100

function patchOf(replacements: readonly Replacement[], key: string): SourcePatch {
  return (source) =>
    replacements.reduce((text, [sound, broken]) => {
      const found = text.split(sound).length - 1
      if (found !== 1) throw new Error(`this defect replaces what stands ${found} times in the functions: ${sound}`)
      return text.replace(sound, () => broken.replaceAll('@TRIP@', `redis.call('INCR', '${key}')`))
    }, source)
}

/** The real queue, with the trips read beside it. */
export class CountedQueue extends FairQueue {
  readonly #key: string
  readonly #trips: Trips
  readonly #timer: NodeJS.Timeout

  constructor(parts: QueueParts, key: string, trips: Trips) {
    super(parts)
    this.#key = key
    this.#trips = trips
    this.#timer = setInterval(() => void this.#read().catch(() => {}), READ_EVERY_MS)
  }

  async #read(): Promise<void> {
    const told = await this.parts.redis.getdel(this.#key)
    this.#trips.count(Number(told ?? 0))
  }

  override async close(): Promise<void> {
    clearInterval(this.#timer)
    await this.#read().catch(() => {})
    await super.close()
  }
}

/** @param make another queue than the counted one, for a defect that is in both */
export function patched(
  trips: Trips,
  replacements: readonly Replacement[],
  make: (parts: QueueParts, key: string) => CountedQueue = (parts, key) => new CountedQueue(parts, key, trips),
): EngineParts {
  const key = `partywall-defect-trips:${randomUUID()}`
  return { patchLibrary: patchOf(replacements, key), queue: (parts) => make(parts, key) }
}
