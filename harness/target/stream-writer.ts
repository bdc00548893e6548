// Writes entries straight into a tenant's own stream, as its event sources do. Refuses to write anything twice: an entry
// whose answer is lost counts as not written.

import { Redis } from 'ioredis'
import type { TenantStream } from './port.ts'

export type Entry = Readonly<Record<string, string>>

/** @returns how many of them Redis has taken */
export async function writeEntries({ redisUrl, key }: TenantStream, entries: readonly Entry[]): Promise<number> {
  const redis = new Redis(redisUrl, { maxRetriesPerRequest: 0, connectTimeout: 2000, retryStrategy: () => null })
  redis.on('error', () => {}) // told by the answers below
  try {
    const pipeline = redis.pipeline()
    for (const entry of entries) pipeline.xadd(key, '*', ...Object.entries(entry).flat())
    const replies = await pipeline.exec()
    return (replies ?? []).filter(([error]) => error === null).length
  } catch {
    return 0
  } finally {
    redis.disconnect()
  }
}
