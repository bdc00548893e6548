// What is said when a tenant was removed: what was taken away, and a look, afterwards, at everything that could be left.
// Refuses to vouch for what it did not look at: each place that was looked at is named.

import { createHmac } from 'node:crypto'
import { z } from 'zod'
import { type SchedulerKeys, schedulerKeys, streamUser, tenantKeys } from './queue/keys.ts'
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
  /** Everything that was looked into, and nothing else. */
  looked: z.array(z.string()),
  /** HMAC-SHA256 with the admin token over the JSON of all the above: who has the token can tell a true proof. */
  seal: z.string(),
})
export type DeletionProof = z.infer<typeof proofShape>

export async function nowMs(redis: Connection): Promise<number> {
  const [seconds, micros] = await redis.time()
  return Number(seconds) * 1000 + Math.floor(Number(micros) / 1000)
}

/** What names no tenant: virtual time, and which process audits. The proof does not speak of them. */
type OfNoTenant = 'vt' | 'auditor'

type Look = (key: string) => Promise<boolean>

/** Every place in which the scheduler may name a tenant, with the question that finds it there. */
function schedulerLooks(redis: Connection, tenant: TenantId): Record<Exclude<keyof SchedulerKeys, OfNoTenant>, Look> {
  const sorted: Look = async (key) => (await redis.zscore(key, tenant)) !== null
  return {
    ready: sorted,
    parked: sorted,
    lease: sorted,
    idle: sorted,
    inflight: sorted,
    tenants: sorted,
    lt: async (key) => (await redis.hexists(key, tenant)) === 1,
    dirty: async (key) => (await redis.sismember(key, tenant)) === 1,
    bell: async (key) => (await redis.lpos(key, tenant)) !== null,
  }
}

interface Looked {
  place: string
  isThere: boolean
}

async function lookAtScheduler(redis: Connection, namespace: string, tenant: TenantId): Promise<Looked[]> {
  const keys = schedulerKeys(namespace)
  const looks = Object.entries(schedulerLooks(redis, tenant)) as [keyof SchedulerKeys, Look][]
  return await Promise.all(looks.map(async ([name, look]) => ({ place: keys[name], isThere: await look(keys[name]) })))
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
  const own = tenantKeys(tenant).map(async (place) => ({ place, isThere: (await redis.exists(place)) === 1 }))
  const looked = [...(await Promise.all(own)), ...(await lookAtScheduler(redis, namespace, tenant))]
  if (aclUsers !== null) {
    looked.push({ place: `ACL user ${streamUser(tenant)}`, isThere: await hasStreamUser(redis, tenant) })
  }
  const said = {
    tenant,
    deletedAtMs,
    checkedAtMs: await nowMs(redis),
    removed: { ...dropped, aclUsers: aclUsers ?? 0 },
    remaining: looked.filter(({ isThere }) => isThere).map(({ place }) => place),
    looked: looked.map(({ place }) => place),
  }
  return { ...said, seal: createHmac('sha256', sealKey).update(JSON.stringify(said)).digest('hex') }
}
