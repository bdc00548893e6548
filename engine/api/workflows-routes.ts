// A tenant's definitions. Refuses names and steps that the engine does not know.

import type { FastifyInstance, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { EngineError } from '../errors.ts'
import type { Runs } from '../runs.ts'
import type { Tenants } from '../tenants.ts'
import { definitionSchema, isWorkflowName } from '../workflow.ts'
import { callerOf, tenantOnly } from './authentication.ts'
import { parsed } from './parse.ts'

function nameOf(request: FastifyRequest): string {
  const { name } = z.object({ name: z.string() }).parse(request.params)
  if (!isWorkflowName(name)) throw new EngineError('workflow-invalid', 'a name is 1 to 64 of a-z, A-Z, 0-9, _ and -')
  return name
}

export function workflowRoutes(server: FastifyInstance, runs: Runs, tenants: Tenants): void {
  const onRequest = tenantOnly(tenants)
  server.put('/v1/workflows/:name', { onRequest }, async (request) => {
    const name = nameOf(request)
    const definition = parsed(definitionSchema, request.body, 'workflow-invalid')
    await runs.define(callerOf(request).id, name, definition)
    return { name, ...definition }
  })
  server.get('/v1/workflows/:name', { onRequest }, async (request) => {
    const name = nameOf(request)
    return { name, ...(await runs.definition(callerOf(request).id, name)) }
  })
}
