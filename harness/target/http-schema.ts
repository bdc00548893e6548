// What an http target file may say. Strict: an unknown key is an error, never ignored.

import { z } from 'zod'

const path = z.string().startsWith('/', 'a path that begins with /')
const headers = z.record(z.string(), z.string())

export const httpTargetSchema = z.strictObject({
  /** Origin of the system under test; loopback only. */
  http: z.url({ protocol: /^https?$/ }),
  /** Declared time a quiet run's own work takes, milliseconds. */
  stepMs: z.number().nonnegative(),
  /** Existing tenants in the order in which roles are given out: the quiet ones first, the noisy one last. */
  tenants: z.array(z.strictObject({ id: z.string().min(1), headers })).min(2),
  start: z.strictObject({
    post: path,
    json: z.unknown(),
    /** What the noisy tenant posts, where it differs. */
    noisyJson: z.unknown().optional(),
    id: z.string().optional(),
  }),
  done: z.union([
    z.literal('response'),
    z.strictObject({
      get: path,
      /** One JSON path and its terminal values: the first is success, the others are failures. */
      until: z
        .record(z.string(), z.array(z.string()).min(1))
        .refine((until) => Object.keys(until).length === 1, 'exactly one path'),
      everyMs: z.number().int().min(1).max(1000).default(5),
    }),
  ]),
  read: path.optional(),
  list: z
    .union([
      path,
      z.strictObject({
        get: path,
        /** Where the answer holds the next page's cursor (a dotted path), and the query parameter that takes it. */
        next: z.strictObject({ cursor: z.string().min(1), param: z.string().min(1) }).optional(),
      }),
    ])
    .optional(),
})

export type HttpTargetFile = z.infer<typeof httpTargetSchema>
