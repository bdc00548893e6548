// How a tenant's own event source writes beside the API: its stream, the fields of an entry, and the words that make a
// Redis user which can do that and nothing else. Refuses to make that user: its password is the operator's to choose and
// no business of this process. Removes it with its tenant.

import { z } from 'zod'
import { CONSUMER_GROUP, streamUser, tenantKey } from './queue/keys.ts'
import type { Connection } from './redis.ts'
import type { TenantId } from './tenant.ts'

export const streamAccessShape = z.object({
  key: z.string().meta({ description: 'The Redis stream' }),
  group: z.string().meta({ description: 'The consumer group of the workers; a writer needs none' }),
  fields: z
    .array(z.object({ name: z.string(), required: z.boolean(), what: z.string() }))
    .meta({ description: 'Of an entry, written with XADD and the id `*`' }),
  user: z.string().meta({ description: 'The name under which the user is removed with its tenant' }),
  aclUserCommand: z.array(z.string()).meta({
    description:
      'The words to say to every node of Redis, with a password in place of PASSWORD (or # and the SHA-256 of one in ' +
      'place of >PASSWORD). Such a user can add to this stream, and trim it: a writer can harm its own tenant only',
  }),
})
export type StreamAccess = z.infer<typeof streamAccessShape>

const FIELDS: StreamAccess['fields'] = [
  { name: 'v', required: false, what: '1, the version of these fields' },
  { name: 'workflow', required: true, what: 'The name of a definition of the tenant' },
  { name: 'input', required: false, what: 'JSON, at most maxPayloadBytes; null when left out' },
  { name: 'key', required: false, what: 'At most 256 bytes: a second entry with the same key is a dead letter' },
]

export function streamAccessOf(tenant: TenantId): StreamAccess {
  const [key, user] = [tenantKey.events(tenant), streamUser(tenant)]
  // Write only: reading the stream back would show what other writers of the tenant sent. No id has a letter of a pattern.
  const rights = ['reset', 'on', '>PASSWORD', 'resetchannels', '-@all', '+xadd', `%W~${key}`]
  return { key, group: CONSUMER_GROUP, fields: FIELDS, user, aclUserCommand: ['ACL', 'SETUSER', user, ...rights] }
}

/** An engine's own user need not have the right to look at users; then it neither removes one nor says that there is none. */
const isNoRight = (error: unknown): boolean =>
  error instanceof Error && /^(NOPERM|ERR unknown command)/.test(error.message)

/** How many there were, 0 or 1, and their connections are cut; null when this engine may not look. */
export async function removeStreamUser(redis: Connection, tenant: TenantId): Promise<number | null> {
  const user = streamUser(tenant)
  try {
    // An operator may have named the engine's own user so.
    if ((await redis.acl('WHOAMI')) === user) return 0
    return Number(await redis.acl('DELUSER', user))
  } catch (error) {
    if (isNoRight(error)) return null
    throw error
  }
}

export async function hasStreamUser(redis: Connection, tenant: TenantId): Promise<boolean> {
  return (await redis.acl('GETUSER', streamUser(tenant))) !== null
}
