// What the records of a tenant say, for the suites that ask how its runs ended. Refuses to count: the witness does that.

import { tenantKey } from '../../../engine/queue/keys.ts'
import type { Connection } from '../../../engine/redis.ts'
import type { TenantId } from '../../../engine/tenant.ts'

export interface Ended {
  status: string
  attempt: number
}

export async function recordsOf(redis: Connection, tenant: TenantId): Promise<Map<string, Ended>> {
  const heads = await redis.hgetall(tenantKey.runs(tenant))
  return new Map(Object.entries(heads).map(([entryId, head]) => [entryId, JSON.parse(head) as Ended]))
}

/** Statuses and how many runs have them. */
export async function statusesOf(redis: Connection, tenant: TenantId): Promise<Record<string, number>> {
  const counts: Record<string, number> = {}
  for (const { status } of (await recordsOf(redis, tenant)).values()) counts[status] = (counts[status] ?? 0) + 1
  return counts
}

/** How often the history tells of each run's end. */
export async function endingsOf(redis: Connection, tenant: TenantId): Promise<Map<string, number>> {
  const counts = new Map<string, number>()
  for (const [, fields] of await redis.xrange(tenantKey.history(tenant), '-', '+')) {
    const { id } = JSON.parse(fields[1] ?? '{}') as { id: string }
    const entryId = id.slice(`run_${tenant}_`.length)
    counts.set(entryId, (counts.get(entryId) ?? 0) + 1)
  }
  return counts
}
