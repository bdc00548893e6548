// The routes that anybody may ask: is the engine there, can it work, what are its routes, what do its refusals mean.
// Refuses to name a tenant.

import { z } from 'zod'
import { catalogue, EngineError, type ErrorCode } from '../errors.ts'
import type { Connection } from '../redis.ts'
import { openApiOf } from './openapi.ts'
import { type Route, route } from './route.ts'

const ok = z.object({ ok: z.literal(true) })
const isCode = (text: string): text is ErrorCode => Object.hasOwn(catalogue, text)

/** `routes` are all others: these document themselves with them. */
export function openRoutes(redis: Connection, routes: readonly Route[]): Route[] {
  const own = [
    route({
      method: 'GET',
      path: '/healthz',
      operationId: 'health',
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
      what: 'The engine can work: Redis answers',
      who: 'anybody',
      answer: { status: 200, what: 'It can', schema: ok },
      refuses: [],
      async handle() {
        await redis.ping()
        return { ok: true }
      },
    }),
    route({
      method: 'GET',
      path: '/problems/{code}',
      operationId: 'explainProblem',
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
