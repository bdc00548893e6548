// The administrator's routes: tenants, their limits, their life. Refuses anything but the admin token.

import { z } from 'zod'
import { proofShape } from '../deletion.ts'
import { streamAccessOf, streamAccessShape } from '../stream-access.ts'
import { objectivesPatchSchema, objectivesSchema } from '../telemetry/slo.ts'
import { limitsPatchSchema, limitsSchema, parseTenantId } from '../tenant.ts'
import type { Tenants } from '../tenants.ts'
import { type Route, route } from './route.ts'

const params = z.object({ id: z.string().meta({ description: '1 to 64 of a-z, 0-9 and -, not a reserved name' }) })
const stateShape = z.enum(['active', 'suspended'])
const wrong = { params: 'tenant-id-invalid' } as const
const view = z.object({
  id: z.string(),
  state: stateShape,
  createdAtMs: z.number(),
  limits: limitsSchema,
  objectives: objectivesSchema,
  queued: z.number().int(),
  active: z.number().int(),
  stream: z.string().meta({ description: 'The Redis stream into which the tenant’s own event sources may write' }),
})

export function tenantRoutes(tenants: Tenants): Route[] {
  return [
    route({
      method: 'POST',
      path: '/v1/tenants',
      operationId: 'createTenant',
      what: 'Create a tenant',
      who: 'admin',
      body: z.strictObject({
        id: z.string(),
        limits: limitsSchema.prefault({}),
        objectives: objectivesSchema.prefault({}),
      }),
      answer: {
        status: 201,
        what: 'The tenant and its token, which is shown this once: only its digest is kept',
        schema: z.object({
          id: z.string(),
          token: z.string(),
          stream: z.string(),
          limits: limitsSchema,
          objectives: objectivesSchema,
        }),
      },
      refuses: ['tenant-id-invalid', 'tenant-exists'],
      handle: async ({ body: { id, limits, objectives } }) => {
        return await tenants.create(parseTenantId(id), limits, objectives)
      },
    }),
    route({
      method: 'GET',
      path: '/v1/tenants/{id}',
      operationId: 'readTenant',
      what: 'State, limits and backlog of a tenant',
      who: 'admin',
      params,
      wrong,
      answer: { status: 200, what: 'The tenant', schema: view },
      refuses: ['tenant-unknown'],
      handle: async ({ params: { id } }) => await tenants.view(parseTenantId(id)),
    }),
    route({
      method: 'PATCH',
      path: '/v1/tenants/{id}',
      operationId: 'changeTenant',
      what: 'Change what is named, suspend, resume; what is not named stays. A suspended tenant reads and starts nothing',
      who: 'admin',
      params,
      wrong,
      body: z
        .strictObject({
          limits: limitsPatchSchema,
          objectives: objectivesPatchSchema,
          state: stateShape,
        })
        .partial(),
      answer: { status: 200, what: 'The tenant as it is now', schema: view },
      refuses: ['tenant-unknown'],
      handle: async ({ params: { id }, body }) => await tenants.change(parseTenantId(id), body),
    }),
    route({
      method: 'GET',
      path: '/v1/tenants/{id}/stream',
      operationId: 'readStreamAccess',
      what: 'How the tenant’s own event source writes beside the API, and the Redis user that can do only that',
      who: 'admin',
      params,
      wrong,
      answer: {
        status: 200,
        what: 'The stream, its fields, and the words that make the user',
        schema: streamAccessShape,
      },
      refuses: ['tenant-unknown'],
      handle: async ({ params: { id } }) => streamAccessOf((await tenants.byId(parseTenantId(id))).id),
    }),
    route({
      method: 'DELETE',
      path: '/v1/tenants/{id}',
      operationId: 'deleteTenant',
      what: 'Remove a tenant with everything it has; runs in flight no longer count',
      who: 'admin',
      params,
      wrong,
      answer: { status: 200, what: 'The proof: what was taken away, and that nothing is left', schema: proofShape },
      refuses: ['tenant-unknown'],
      handle: async ({ params: { id } }) => await tenants.remove(parseTenantId(id)),
    }),
  ]
}
