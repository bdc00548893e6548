// Starting and reading runs. Refuses a tenant over its limits, or a payload over its size, before the body is parsed.

import type { FastifyRequest } from 'fastify'
import { z } from 'zod'
import { EngineError } from '../errors.ts'
import type { Queue, Refusal } from '../queue/queue.ts'
import { eventsOf, type Runs } from '../runs.ts'
import { parseRunId, runIdOf, workflowName } from '../workflow.ts'
import { callerOf } from './authentication.ts'
import type { Brake } from './brake.ts'
import type { Drain } from './drain.ts'
import { type Route, route } from './route.ts'
import { pageOf, pageQuery, runEventShape, runShape } from './shapes.ts'

/** Room for the document around the input, and for spaces in it. */
const ENVELOPE_BYTES = 1024

const startBody = z.strictObject({
  workflow: workflowName,
  input: z.unknown().optional().meta({ description: 'Any JSON; its size is bounded by the limit maxPayloadBytes' }),
})
const startHeaders = z.object({
  'idempotency-key': z
    .string()
    .regex(/^[\x21-\x7e]{1,255}$/, '1 to 255 printable characters without spaces')
    .optional()
    .meta({ description: 'The same key, workflow and input start one run, for as long as that run is kept' }),
})
export const startedShape = z.object({ id: z.string(), status: z.literal('queued') })
const params = z.object({ id: z.string() })

const tooLarge = (bytesMax: number): EngineError => new EngineError('payload-too-large', `at most ${bytesMax} bytes`)

export function refusalError(refusal: Refusal): EngineError {
  switch (refusal.state) {
    case 'refused':
      return new EngineError(refusal.code, undefined, { retryAfterMs: refusal.retryAfterMs })
    case 'suspended':
      return new EngineError('tenant-suspended')
    case 'too-large':
      return tooLarge(refusal.bytesMax)
    case 'unknown':
      // Removed while its token was still remembered: the token is no longer one.
      return new EngineError(refusal.code === 'tenant-unknown' ? 'credentials-invalid' : refusal.code)
  }
}

export interface RunRouteParts {
  runs: Runs
  queue: Queue
  brake: Brake
  drain: Drain
}

export function runRoutes({ runs, queue, brake, drain }: RunRouteParts): Route[] {
  function refuseEarly(request: FastifyRequest): void {
    drain.refuseIfBegun()
    const { id, limits } = callerOf(request)
    const refusal = brake.refusal(id)
    if (refusal) throw refusal
    if (Number(request.headers['content-length'] ?? 0) > limits.maxPayloadBytes + ENVELOPE_BYTES) {
      throw tooLarge(limits.maxPayloadBytes)
    }
  }

  const start = route({
    method: 'POST',
    path: '/v1/runs',
    operationId: 'startRun',
    what: 'Start a run',
    who: 'tenant',
    headers: startHeaders,
    body: startBody,
    answer: {
      status: 202,
      what: 'Admitted',
      schema: startedShape,
      headers: {
        'Idempotency-Replayed': z.literal('true').meta({
          description: 'The key was used before with this start: the run is that one, and nothing was started',
        }),
      },
    },
    refuses: [
      'workflow-unknown',
      'rate-limited',
      'queue-full',
      'tenant-suspended',
      'idempotency-conflict',
      'engine-draining',
    ],
    early: refuseEarly,
    async handle({ headers, body: { workflow, input }, request, reply }) {
      const { id, limits } = callerOf(request)
      const inputText = JSON.stringify(input ?? null)
      if (Buffer.byteLength(inputText) > limits.maxPayloadBytes) {
        throw tooLarge(limits.maxPayloadBytes)
      }
      const admission = await queue.admit(id, workflow, inputText, headers['idempotency-key'])
      switch (admission.state) {
        case 'admitted':
          if (admission.repeated) reply.header('idempotency-replayed', 'true')
          return { id: runIdOf(id, admission.entryId), status: 'queued' }
        case 'conflict':
          throw new EngineError('idempotency-conflict')
        default:
          if (admission.state === 'refused') brake.note(id, admission.code, admission.retryAfterMs)
          throw refusalError(admission)
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
    route({
      method: 'POST',
      path: '/v1/runs/{id}/cancel',
      operationId: 'cancelRun',
      what: 'End a run that waits or runs; what it still does no longer counts. Cancelling it again changes nothing',
      who: 'tenant',
      params,
      answer: {
        status: 200,
        what: 'Cancelled',
        schema: z.object({ id: z.string(), status: z.literal('cancelled') }),
      },
      refuses: ['run-unknown', 'run-finished'],
      async handle({ params: { id }, request }) {
        const { id: caller } = callerOf(request)
        const run = parseRunId(id)
        const ended = run?.owner === caller ? await queue.cancel(caller, run.entryId) : { state: 'unknown' as const }
        if (ended.state === 'unknown') throw new EngineError('run-unknown')
        if (ended.state === 'finished' && ended.status !== 'cancelled') {
          throw new EngineError('run-finished', `it ended as ${ended.status}`)
        }
        return { id, status: 'cancelled' }
      },
    }),
  ]
}
