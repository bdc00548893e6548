// What is said when a tenant was removed: what was taken away, and a look, afterwards, at everything that could be left.
// Refuses to vouch for what it did not look at: each place that was looked at is named.

import { createHmac } from 'node:crypto'
import { z } from 'zod'
import { schedulerKeys, streamUser, tenantKeys } from './queue/keys.ts'
import type { Dropped } from './queue/queue.ts'
import type { Connection } from './redis.ts'
import { hasStreamUser } from './stream-access.ts'
import type { TenantId } from './tenant.ts'

const count = z.number().int().min(0)

export const proofShape = z.object({
  tenant: z.string(),
  /** Milliseconds since the epoch, on Redis' clock: after the removal and after the look. */
  deletedAtMs: z.number(),
  checkedAtMs: z.number(),
  /** Counted in the instant of the removal; runs in flight (fenced) can end nothing and write nothing from then on. */
  removed: z.object({
    keys: count,
    queued: count,
    fenced: count,
    finished: count,
    deadLetters: count,
    schedulerEntries: count,
    /** The Redis user of the tenant's own event source, when it was made by the name that /v1/tenants/{id}/stream gives. */
    aclUsers: count,
  }),
  /** Names of keys that exist, of all that a tenant can have. A direct writer by another name that still writes makes one anew. */
  remaining: z.array(z.string()),
  /** Everything that was looked at. */
  looked: z.array(z.string()),
  /** HMAC-SHA256 with the admin token over the JSON of all the above: who has the token can tell a true proof. */
  seal: z.string(),
})
export type DeletionProof = z.infer<typeof proofShape>

export async function nowMs(redis: Connection): Promise<number> {
  const [seconds, micros] = await redis.time()
  return Number(seconds) * 1000 + Math.floor(Number(micros) / 1000)
}

/** The traces that the scheduler may have of a tenant. */
async function tracesOf(redis: Connection, namespace: string, tenant: TenantId): Promise<string[]> {
  const keys = schedulerKeys(namespace)
  const sorted = [keys.ready, keys.parked, keys.lease, keys.idle, keys.inflight, keys.tenants]
  const scores = await Promise.all(sorted.map((key) => redis.zscore(key, tenant)))
  const [inTurn, dirty] = await Promise.all([redis.hexists(keys.lt, tenant), redis.sismember(keys.dirty, tenant)])
  const found = sorted.filter((_, at) => scores[at] !== null)
  return [...found, ...(inTurn === 1 ? [keys.lt] : []), ...(dirty === 1 ? [keys.dirty] : [])]
}

interface ProofParts {
  redis: Connection
  namespace: string
  sealKey: string
}

/** `aclUsers`: how many were removed; null when the engine may not look at users, and so vouches for none. */
export async function proofOf(
  tenant: TenantId,
  dropped: Dropped,
  aclUsers: number | null,
  parts: ProofParts,
): Promise<DeletionProof> {
  const { redis, namespace, sealKey } = parts
  const deletedAtMs = await nowMs(redis)
  const keys = tenantKeys(tenant)
  const exists = await Promise.all(keys.map((key) => redis.exists(key)))
  const traces = await tracesOf(redis, namespace, tenant)
  const users = aclUsers === null ? [] : [`ACL user ${streamUser(tenant)}`]
  const usersLeft = users.length > 0 && (await hasStreamUser(redis, tenant)) ? users : []
  const said = {
    tenant,
    deletedAtMs,
    checkedAtMs: await nowMs(redis),
    removed: { ...dropped, aclUsers: aclUsers ?? 0 },
    remaining: [...keys.filter((_, at) => exists[at] === 1), ...traces, ...usersLeft],
    looked: [...keys, ...Object.values(schedulerKeys(namespace)), ...users],
  }
  return { ...said, seal: createHmac('sha256', sealKey).update(JSON.stringify(said)).digest('hex') }
}
