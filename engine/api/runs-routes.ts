// Starting and reading runs. Refuses a tenant over its limits, or a payload over its size, before the body is parsed.

import type { FastifyRequest } from 'fastify'
import { z } from 'zod'
import { EngineError } from '../errors.ts'
import type { Queue } from '../queue/queue.ts'
import { eventsOf, type Runs } from '../runs.ts'
import { runIdOf, workflowName } from '../workflow.ts'
import { callerOf } from './authentication.ts'
import type { Brake } from './brake.ts'
import { type Route, route } from './route.ts'
import { pageOf, pageQuery, runEventShape, runShape } from './shapes.ts'

/** Room for the document around the input, and for spaces in it. */
const ENVELOPE_BYTES = 1024

const startBody = z.strictObject({
  workflow: workflowName,
  input: z.unknown().optional().meta({ description: 'Any JSON; its size is bounded by the limit maxPayloadBytes' }),
})
const params = z.object({ id: z.string() })

export interface RunRouteParts {
  runs: Runs
  queue: Queue
  brake: Brake
}

export function runRoutes({ runs, queue, brake }: RunRouteParts): Route[] {
  function refuseEarly(request: FastifyRequest): void {
    const { id, limits } = callerOf(request)
    const refusal = brake.refusal(id)
    if (refusal) throw refusal
    if (Number(request.headers['content-length'] ?? 0) > limits.maxPayloadBytes + ENVELOPE_BYTES) {
      throw new EngineError('payload-too-large', `at most ${limits.maxPayloadBytes} bytes`)
    }
  }

  const start = route({
    method: 'POST',
    path: '/v1/runs',
    operationId: 'startRun',
    what: 'Start a run',
    who: 'tenant',
    body: startBody,
    answer: {
      status: 202,
      what: 'Admitted',
      schema: z.object({ id: z.string(), status: z.literal('queued') }),
    },
    refuses: ['workflow-unknown', 'rate-limited', 'queue-full', 'tenant-suspended', 'idempotency-conflict'],
    early: refuseEarly,
    async handle({ body: { workflow, input }, request }) {
      const { id, limits } = callerOf(request)
      const inputText = JSON.stringify(input ?? null)
      if (Buffer.byteLength(inputText) > limits.maxPayloadBytes) {
        throw new EngineError('payload-too-large', `at most ${limits.maxPayloadBytes} bytes`)
      }
      const admission = await queue.admit(id, workflow, inputText)
      switch (admission.state) {
        case 'admitted':
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
    },
  })

  return [
    start,
    route({
      method: 'GET',
      path: '/v1/runs',
      operationId: 'listRuns',
      what: 'The tenant’s runs, newest first',
      who: 'tenant',
      query: pageQuery,
      answer: {
        status: 200,
        what: 'A page; the cursor of the next one is null at the end',
        schema: pageOf('runs', runShape),
      },
      refuses: ['cursor-invalid'],
      async handle({ query: { cursor, limit }, request }) {
        const { id, cursors } = callerOf(request)
        const page = await runs.list(id, cursor === undefined ? null : cursors.open('runs', cursor), limit)
        return { runs: page.runs, cursor: page.last === null ? null : cursors.bind('runs', page.last) }
      },
    }),
    route({
      method: 'GET',
      path: '/v1/runs/{id}',
      operationId: 'readRun',
      what: 'One run, with its input and output',
      who: 'tenant',
      params,
      answer: { status: 200, what: 'The run', schema: runShape },
      refuses: ['run-unknown'],
      handle: async ({ params: { id }, request }) => await runs.byId(callerOf(request).id, id),
    }),
    route({
      method: 'GET',
      path: '/v1/runs/{id}/events',
      operationId: 'readRunEvents',
      what: 'What happened to one run, in order',
      who: 'tenant',
      params,
      answer: { status: 200, what: 'Its events', schema: z.object({ id: z.string(), events: z.array(runEventShape) }) },
      refuses: ['run-unknown'],
      async handle({ params: { id }, request }) {
        const run = await runs.byId(callerOf(request).id, id)
        return { id: run.id, events: eventsOf(run) }
      },
    }),
  ]
}
