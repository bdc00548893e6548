// The routes that anybody may ask: is the engine there, can it work, what are its routes, what do its refusals mean.
// Refuses to name a tenant.

import { z } from 'zod'
import { catalogue, EngineError, type ErrorCode } from '../errors.ts'
import type { Connection } from '../redis.ts'
import type { Drain } from './drain.ts'
import { openApiOf } from './openapi.ts'
import { type Route, route } from './route.ts'

const ok = z.object({ ok: z.literal(true) })
const isCode = (text: string): text is ErrorCode => Object.hasOwn(catalogue, text)

export interface OpenRouteParts {
  redis: Connection
  drain: Drain
}

/** `routes` are all others: these document themselves with them. */
export function openRoutes({ redis, drain }: OpenRouteParts, routes: readonly Route[]): Route[] {
  const own = [
    route({
      method: 'GET',
      path: '/healthz',
      operationId: 'health',
      withoutStore: true,
      what: 'The process answers',
      who: 'anybody',
      answer: { status: 200, what: 'It does', schema: ok },
      refuses: [],
      handle: async () => ({ ok: true }),
    }),
    route({
      method: 'GET',
      path: '/readyz',
      operationId: 'ready',
      what: 'The engine takes work: Redis answers, and the process is not about to end',
      who: 'anybody',
      answer: { status: 200, what: 'It does', schema: ok },
      refuses: ['engine-draining'],
      async handle() {
        drain.refuseIfBegun()
        await redis.ping()
        return { ok: true }
      },
    }),
    route({
      method: 'GET',
      path: '/problems/{code}',
      operationId: 'explainProblem',
      withoutStore: true,
      what: 'What a code of a problem document means, and what can be done about it',
      who: 'anybody',
      params: z.object({ code: z.string() }),
      answer: {
        status: 200,
        what: 'The explanation',
        schema: z.object({ code: z.string(), status: z.number(), title: z.string(), mend: z.string() }),
      },
      refuses: ['route-unknown'],
      async handle({ params: { code } }) {
        if (!isCode(code)) throw new EngineError('route-unknown')
        return { code, ...catalogue[code] }
      },
    }),
    route({
      method: 'GET',
      path: '/openapi.json',
      operationId: 'describe',
      withoutStore: true,
      what: 'This document',
      who: 'anybody',
      answer: { status: 200, what: 'OpenAPI 3.1', schema: z.looseObject({ openapi: z.string() }) },
      refuses: [],
      handle: async () => document,
    }),
  ]
  const document = openApiOf([...routes, ...own])
  return own
}
