// One consumer group of a stream, as Redis tells it. Reads only.

import type { Redis } from 'ioredis'

export interface StreamGroup {
  pending: number
  /** Entries not yet delivered; null where Redis cannot tell. */
  lag: number | null
  /** Id of the last entry that was delivered to it. */
  delivered: string
}

/** Null where there is no such stream, or no such group. @throws when there is no answer */
export async function streamGroup(redis: Redis, key: string, name: string): Promise<StreamGroup | null> {
  let groups: unknown[][]
  try {
    groups = (await redis.xinfo('GROUPS', key)) as unknown[][]
  } catch (error) {
    if (error instanceof Error && /no such key/i.test(error.message)) return null
    throw error
  }
  for (const flat of groups) {
    const facts = new Map<unknown, unknown>()
    for (let i = 0; i < flat.length; i += 2) facts.set(flat[i], flat[i + 1])
    if (facts.get('name') !== name) continue
    const lag = facts.get('lag')
    return {
      pending: Number(facts.get('pending')),
      lag: typeof lag === 'number' ? lag : null,
      delivered: String(facts.get('last-delivered-id')),
    }
  }
  return null
}
