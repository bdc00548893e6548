// Who a tenant is: its id, its limits, the token that speaks for it. An id is validated once, here, and carried as a
// branded type. Refuses what is not an id instead of repairing it: a repaired id could be somebody else's.

import { hash, randomBytes, timingSafeEqual } from 'node:crypto'
import { z } from 'zod'
import { EngineError } from './errors.ts'

declare const brand: unique symbol
export type TenantId = string & { readonly [brand]: 'TenantId' }

const SHAPE = /^[a-z0-9-]{1,64}$/

/** Names that something else could take for its own: objects, logs, Loki and Mimir, Vault, and the sum of a report. */
const RESERVED = new Set(
  (
    'constructor prototype null undefined true false nan default system root admin anonymous all none other unknown fake ' +
    'sys audit auth identity cubbyhole vault tenant'
  ).split(' '),
)

export function isTenantId(text: unknown): text is TenantId {
  return typeof text === 'string' && SHAPE.test(text) && !RESERVED.has(text)
}

export function parseTenantId(text: unknown): TenantId {
  if (isTenantId(text)) return text
  throw new EngineError('tenant-id-invalid', 'a tenant id is 1 to 64 of a-z, 0-9 and -, and not a reserved name')
}

const PAYLOAD_BYTES_MAX = 1 << 20

export const limitsSchema = z.strictObject({
  /** Starts in any 60 s, those through the API and those written straight into the stream together. */
  startsPerMinute: z.number().int().min(1).max(1_000_000).default(600),
  concurrentRuns: z.number().int().min(1).max(10_000).default(8),
  /** Hard: an attempt that takes longer ends its run as timed out, without another attempt, and its late result is ignored. */
  maxRunMs: z
    .number()
    .int()
    .min(1)
    .max(86_400_000)
    .meta({
      description:
        'Milliseconds, for each attempt from its own start; waiting, also for a retry, is not in it. An attempt that takes ' +
        'longer ends the run as timed-out, and what it says later is ignored',
    })
    .default(60_000),
  maxQueued: z.number().int().min(1).max(1_000_000).default(1000),
  maxPayloadBytes: z.number().int().min(2).max(PAYLOAD_BYTES_MAX).default(65_536),
  /** Shares of slot time, relative to other tenants that have work waiting. */
  weight: z.number().min(0.01).max(100).default(1),
})
export type Limits = z.infer<typeof limitsSchema>

/** A change of limits names only what changes; a default here would reset what was not named. */
export const limitsPatchSchema = z
  .strictObject({
    startsPerMinute: limitsSchema.shape.startsPerMinute.unwrap(),
    concurrentRuns: limitsSchema.shape.concurrentRuns.unwrap(),
    maxRunMs: limitsSchema.shape.maxRunMs.unwrap(),
    maxQueued: limitsSchema.shape.maxQueued.unwrap(),
    maxPayloadBytes: limitsSchema.shape.maxPayloadBytes.unwrap(),
    weight: limitsSchema.shape.weight.unwrap(),
  })
  .partial()
export type LimitsPatch = z.infer<typeof limitsPatchSchema>

export type TenantState = 'active' | 'suspended'

export const newToken = (tenant: TenantId): string => `pw_${tenant}_${randomBytes(24).toString('base64url')}`

export const digestOf = (token: string): string => hash('sha256', token, 'hex')

export const sameDigest = (a: string, b: string): boolean =>
  a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b))

/** The tenant that a token claims to speak for; null when it is not one of our tokens. Proves nothing by itself. */
export function tenantOfToken(token: string): TenantId | null {
  const id = /^pw_([a-z0-9-]{1,64})_[\w-]{16,64}$/.exec(token)?.[1]
  return isTenantId(id) ? id : null
}
