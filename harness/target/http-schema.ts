// What an http target file may say. Strict: an unknown key is an error, never ignored; and so is a file that could not be
// measured by, or that would show leaks where there are none.

import { z } from 'zod'

const path = z.string().startsWith('/', 'a path that begins with /')
const pathOfRun = path.includes('{id}', 'a path with {id} in it, where the id of a run goes')
const headers = z.record(
  z.string().regex(/^[\w!#$%&'*+.^`|~-]+$/, 'the name of an HTTP header'),
  z.string().regex(/^[^\r\n\0]*$/, 'a value on one line'),
)

function isBareOrigin(url: string): boolean {
  const { username, password, pathname, search, hash } = new URL(url)
  return [username, password, search, hash].every((part) => part === '') && pathname === '/'
}

const tenant = z.strictObject({ id: z.string().min(1), headers })
type HttpTenant = z.infer<typeof tenant>

/** The same for requests that no system could tell apart: names without case, order and outer blanks do not count. */
function requestsAs({ headers }: HttpTenant): string {
  const lines = Object.entries(headers).map(([name, value]) => `${name.toLowerCase()}: ${value.trim()}`)
  return lines.sort().join('\n')
}

/** Two tenants that are the same to the target, or null. Each would be shown what is the other's, rightly so. */
export function sameTenants(tenants: readonly HttpTenant[]): { first: HttpTenant; second: HttpTenant } | null {
  const seen = new Map<string, HttpTenant>()
  for (const second of tenants) {
    const key = requestsAs(second)
    const first = seen.get(key)
    if (first) return { first, second }
    seen.set(key, second)
  }
  return null
}

const FROM_ID = 'wants `start.id`: where the answer of a start holds the id of its run'

export const httpTargetSchema = z
  .strictObject({
    /** Origin of the system under test; loopback only. */
    http: z
      .url({ protocol: /^https?$/ })
      .refine(
        isBareOrigin,
        'an origin only, like http://127.0.0.1:8080: paths belong to `start`, `done`, `read`, `list`',
      ),
    /** Declared time a quiet run's own work takes, milliseconds. */
    stepMs: z.number().nonnegative(),
    /** Existing tenants in the order in which roles are given out: the quiet ones first, the noisy one last. */
    tenants: z.array(tenant).min(2),
    start: z.strictObject({
      post: path,
      json: z.unknown(),
      /** What the noisy tenant posts, where it differs. */
      noisyJson: z.unknown().optional(),
      /** Where the answer holds the run's id. */
      id: z.string().min(1).optional(),
    }),
    done: z.union([
      z.literal('response'),
      z.strictObject({
        get: pathOfRun,
        /** One JSON path and its terminal values: the first is success, the others are failures. */
        until: z
          .record(z.string(), z.array(z.string()).min(1))
          .refine((until) => Object.keys(until).length === 1, 'exactly one path'),
        everyMs: z.number().int().min(1).max(1000).default(5),
      }),
    ]),
    read: pathOfRun.optional(),
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
  .superRefine(({ tenants, start, done, read }, context) => {
    const problem = (path: PropertyKey[], message: string) => context.addIssue({ code: 'custom', path, message })
    if (start.id === undefined && done !== 'response') problem(['done', 'get'], FROM_ID)
    if (start.id === undefined && read !== undefined) problem(['read'], FROM_ID)
    const same = sameTenants(tenants)
    if (same) {
      const words = `the same headers as the tenant ${same.first.id}: the target could not tell the two apart, and each would be shown what is the other's`
      problem(['tenants', tenants.indexOf(same.second), 'headers'], words)
    }
    const ids = tenants.map(({ id }) => id)
    const again = ids.findIndex((id, i) => ids.indexOf(id) !== i)
    if (again >= 0) problem(['tenants', again, 'id'], `there is a tenant ${ids[again]} already`)
  })

export type HttpTargetFile = z.infer<typeof httpTargetSchema>
