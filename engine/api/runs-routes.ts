// Starting and reading runs. Refuses a tenant over its limits, or a payload over its size, before the body is parsed.

import type { FastifyInstance, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { EngineError } from '../errors.ts'
import type { Queue } from '../queue/queue.ts'
import type { Runs } from '../runs.ts'
import type { Tenants } from '../tenants.ts'
import { isWorkflowName, runIdOf } from '../workflow.ts'
import { callerOf, tenantOnly } from './authentication.ts'
import type { Brake } from './brake.ts'
import { parsed } from './parse.ts'

const startBody = z.strictObject({
  workflow: z.string().refine(isWorkflowName, 'not a workflow name'),
  input: z.unknown().optional(),
})

const listQuery = z.object({
  cursor: z
    .string()
    .regex(/^\d{1,20}-\d{1,20}$/, 'not a cursor of ours')
    .optional(),
  limit: z.coerce.number().int().min(1).max(1000).default(50),
})

export interface RunRouteParts {
  runs: Runs
  tenants: Tenants
  queue: Queue
  brake: Brake
}

export function runRoutes(server: FastifyInstance, { runs, tenants, queue, brake }: RunRouteParts): void {
  const onRequest = tenantOnly(tenants)

  async function refuseEarly(request: FastifyRequest): Promise<void> {
    const { id, limits } = callerOf(request)
    const refusal = brake.refusal(id)
    if (refusal) throw refusal
    if (Number(request.headers['content-length'] ?? 0) > limits.maxPayloadBytes) {
      throw new EngineError('payload-too-large', `at most ${limits.maxPayloadBytes} bytes`)
    }
  }

  server.post('/v1/runs', { onRequest: [onRequest, refuseEarly] }, async (request, reply) => {
    const { id, limits } = callerOf(request)
    const { workflow, input } = parsed(startBody, request.body, 'request-invalid')
    const inputText = JSON.stringify(input ?? null)
    // Again, for a body that came in chunks, without a length.
    if (Buffer.byteLength(inputText) > limits.maxPayloadBytes) {
      throw new EngineError('payload-too-large', `at most ${limits.maxPayloadBytes} bytes`)
    }
    const admission = await queue.admit(id, workflow, inputText)
    switch (admission.state) {
      case 'admitted':
        reply.code(202)
        return { id: runIdOf(id, admission.entryId), status: 'queued' }
      case 'refused':
        brake.note(id, admission.code, admission.retryAfterMs)
        throw new EngineError(admission.code, undefined, { retryAfterMs: admission.retryAfterMs })
      case 'conflict':
        throw new EngineError('idempotency-conflict')
      case 'suspended':
        throw new EngineError('tenant-suspended')
      case 'unknown':
        // Removed while its token was still remembered: the token is no longer one.
        throw new EngineError(admission.code === 'tenant-unknown' ? 'credentials-invalid' : admission.code)
    }
  })

  server.get('/v1/runs', { onRequest }, async (request) => {
    const { cursor, limit } = parsed(listQuery, request.query, 'request-invalid')
    return await runs.list(callerOf(request).id, cursor ?? null, limit)
  })

  server.get('/v1/runs/:id', { onRequest }, async (request) => {
    return await runs.byId(callerOf(request).id, z.object({ id: z.string() }).parse(request.params).id)
  })
}
