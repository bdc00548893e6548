// The administrator's routes: tenants and their limits. Refuses anything but the admin token.

import type { FastifyInstance, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { limitsPatchSchema, limitsSchema, parseTenantId } from '../tenant.ts'
import type { Tenants } from '../tenants.ts'
import { adminOnly } from './authentication.ts'
import { parsed } from './parse.ts'

const createBody = z.strictObject({ id: z.string(), limits: limitsSchema.prefault({}) })
const patchBody = z.union([
  z.strictObject({ limits: limitsPatchSchema }).transform(({ limits }) => limits),
  limitsPatchSchema,
])

const idOf = (request: FastifyRequest) => parseTenantId(z.object({ id: z.string() }).parse(request.params).id)

export function tenantRoutes(server: FastifyInstance, tenants: Tenants, adminToken: string): void {
  const onRequest = adminOnly(adminToken)
  server.post('/v1/tenants', { onRequest }, async (request, reply) => {
    const { id, limits } = parsed(createBody, request.body, 'request-invalid')
    reply.code(201)
    return await tenants.create(parseTenantId(id), limits)
  })
  server.get('/v1/tenants/:id', { onRequest }, async (request) => await tenants.view(idOf(request)))
  server.patch('/v1/tenants/:id', { onRequest }, async (request) => {
    return await tenants.change(idOf(request), parsed(patchBody, request.body, 'request-invalid'))
  })
  server.delete('/v1/tenants/:id', { onRequest }, async (request, reply) => {
    await tenants.remove(idOf(request))
    return reply.code(204).send()
  })
}
