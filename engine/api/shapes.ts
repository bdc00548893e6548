// The shapes of the documents that several routes answer with or take, for the OpenAPI document. Refuses to be a check of
// what the engine itself wrote: that is parsed where it is read.

import { z } from 'zod'

const atMs = z.number().meta({ description: 'Milliseconds since the epoch, on Redis’ clock' })

export const runShape = z.object({
  id: z.string(),
  workflow: z.string(),
  source: z
    .enum(['api', 'stream', 'redrive'])
    .meta({ description: 'How it came: `stream` was written beside the API' }),
  status: z.enum(['queued', 'running', 'done', 'failed', 'timed-out', 'cancelled', 'dead']),
  attempt: z.number().int().min(1).meta({ description: 'The one that runs, waits or was the last' }),
  key: z.string().optional().meta({ description: 'The idempotency key of its start' }),
  queuedAt: atMs,
  startedAt: atMs.optional(),
  endedAt: atMs.optional(),
  input: z.unknown(),
  output: z.unknown().optional(),
  error: z.string().optional(),
})

export const runEventShape = z.object({
  event: z.enum(['queued', 'started', 'done', 'failed', 'timed-out', 'cancelled', 'dead']),
  at: atMs,
})

export const pageQuery = z.object({
  cursor: z.string().optional().meta({ description: 'From the page before; bound to this tenant' }),
  limit: z.coerce
    .number()
    .int()
    .min(1)
    .max(1000)
    .default(50)
    .meta({ description: 'At most so many; fewer when they are large: a page has some 4 MiB, and at least one' }),
})

/** A page of a list; the cursor is null when nothing follows. */
export const pageOf = <Name extends string, T extends z.ZodType>(name: Name, item: T) =>
  z.object({ [name]: z.array(item), cursor: z.string().nullable() } as Record<Name, z.ZodArray<T>> & {
    cursor: z.ZodNullable<z.ZodString>
  })
