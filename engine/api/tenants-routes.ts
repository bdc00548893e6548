// The administrator's routes: tenants, their limits, their life. Refuses anything but the admin token.

import { z } from 'zod'
import { limitsPatchSchema, limitsSchema, parseTenantId } from '../tenant.ts'
import type { Tenants } from '../tenants.ts'
import { type Route, route } from './route.ts'

const params = z.object({ id: z.string().meta({ description: '1 to 64 of a-z, 0-9 and -, not a reserved name' }) })
const wrong = { params: 'tenant-id-invalid' } as const
const view = z.object({
  id: z.string(),
  state: z.enum(['active']),
  limits: limitsSchema,
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
      body: z.strictObject({ id: z.string(), limits: limitsSchema.prefault({}) }),
      answer: {
        status: 201,
        what: 'The tenant and its token, which is shown this once: only its digest is kept',
        schema: z.object({ id: z.string(), token: z.string(), stream: z.string(), limits: limitsSchema }),
      },
      refuses: ['tenant-id-invalid', 'tenant-exists'],
      handle: async ({ body: { id, limits } }) => await tenants.create(parseTenantId(id), limits),
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
      what: 'Change the limits that are named; the others stay',
      who: 'admin',
      params,
      wrong,
      body: z.strictObject({ limits: limitsPatchSchema }),
      answer: { status: 200, what: 'The tenant as it is now', schema: view },
      refuses: ['tenant-unknown'],
      handle: async ({ params: { id }, body: { limits } }) => await tenants.change(parseTenantId(id), limits),
    }),
    route({
      method: 'DELETE',
      path: '/v1/tenants/{id}',
      operationId: 'deleteTenant',
      what: 'Remove a tenant with everything it has; runs in flight no longer count',
      who: 'admin',
      params,
      wrong,
      answer: { status: 204, what: 'Nothing of the tenant is left' },
      refuses: ['tenant-unknown'],
      async handle({ params: { id } }) {
        await tenants.remove(parseTenantId(id))
      },
    }),
  ]
}
