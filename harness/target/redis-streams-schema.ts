// What a redis-streams target file may say: an engine whose work is entries in a stream per tenant. Strict, as every file is.

import { z } from 'zod'

const key = z.string().min(1).includes('{id}', 'a key with {id} in it, where the tenant goes')
const fields = z
  .record(z.string().min(1), z.string())
  .refine((all) => Object.keys(all).length > 0, 'at least one field')

const withCanary = fields.refine(
  (all) => Object.values(all).some((value) => value.includes('{{canary}}')),
  'a field with {{canary}} in it: without it nobody can tell whose data a result shows',
)

export const redisStreamsSchema = z.strictObject({
  /** The Redis that holds the streams; a password comes from the environment, as ${NAME}. */
  redis: z.string().min(1),
  /** Declared time a quiet run's own work takes, milliseconds. */
  stepMs: z.number().nonnegative(),
  /** Existing tenants in the order in which roles are given out: the quiet ones first, the noisy one last. */
  tenants: z
    .array(z.string().min(1))
    .min(2)
    .refine((ids) => new Set(ids).size === ids.length, 'each tenant once'),
  stream: key,
  fields: withCanary,
  /** What the noisy tenant's entries hold, where they differ. */
  noisyFields: withCanary.optional(),
  /** The consumer group that works the stream: its lag and pending list tell when a backlog is gone. */
  group: z.string().min(1),
  done: z.union([
    z.literal('acknowledged'),
    z.strictObject({
      results: key,
      /** The field of a result that holds the id of its entry. */
      id: z.string().min(1),
      status: z.string().min(1).optional(),
      /** Statuses that are no success. */
      failed: z.array(z.string()).default([]),
    }),
  ]),
  /** How often the pending list is looked at, where that tells the end. */
  everyMs: z.number().int().min(1).max(1000).default(2),
})

export type RedisStreamsFile = z.infer<typeof redisStreamsSchema>
