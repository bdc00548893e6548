// What a route is: the one declaration from which it is served and documented, so that the two cannot differ. Refuses
// what the declaration does not name: an unknown query parameter or a body where none is taken is an error, not noise.

import type { ServerResponse } from 'node:http'
import type { FastifyInstance, FastifyReply, FastifyRequest, HTTPMethods } from 'fastify'
import { z } from 'zod'
import { EngineError, type ErrorCode } from '../errors.ts'
import { inContext } from '../telemetry/context.ts'
import { contextOf } from './authentication.ts'
import { parsed } from './parse.ts'

export interface Answer {
  status: 200 | 201 | 202 | 204
  what: string
  /** Left out: no body. */
  schema?: z.ZodType
  /** application/json when left out. */
  type?: string
  /** By name; in some answers only. */
  headers?: Record<string, z.ZodType>
}

/** Names as they arrive: values are text, or whatever a client managed to send. */
type Fields = z.ZodObject
type NoFields = z.ZodObject<Record<never, never>>

export interface Call<P extends Fields, Q extends Fields, H extends Fields, B extends z.ZodType> {
  params: z.output<P>
  query: z.output<Q>
  headers: z.output<H>
  body: z.output<B>
  request: FastifyRequest
  reply: FastifyReply
}

interface Spec<P extends Fields, Q extends Fields, H extends Fields, B extends z.ZodType> {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** With parameters in braces, as OpenAPI writes it. */
  path: `/${string}`
  operationId: string
  what: string
  who: 'admin' | 'tenant' | 'anybody'
  params?: P
  query?: Q
  headers?: H
  body?: B
  bodyBytesMax?: number
  /** What a wrong path parameter, header or body is called; request-invalid when left out. */
  wrong?: { params?: ErrorCode; headers?: ErrorCode; body?: ErrorCode }
  answer: Answer
  /** Refusals of its own, beside those that follow from the rest of the declaration. */
  refuses: readonly ErrorCode[]
  /** Answers without a question to Redis. */
  withoutStore?: true
  /** After authentication, before the body is read. */
  early?: (request: FastifyRequest) => void
  /** Its value is the body of the answer; undefined when the reply was taken over or has no body. */
  handle: (call: Call<P, Q, H, B>) => Promise<unknown>
}

/** A declaration whose types were checked where it was written. */
export interface Route extends Omit<Spec<Fields, Fields, Fields, z.ZodType>, 'handle'> {
  serve: (request: FastifyRequest, reply: FastifyReply) => Promise<unknown>
}

const nothing: NoFields = z.strictObject({})

export function route<
  P extends Fields = NoFields,
  Q extends Fields = NoFields,
  H extends Fields = NoFields,
  B extends z.ZodType = z.ZodUndefined,
>(spec: Spec<P, Q, H, B>): Route {
  const { handle, ...declared } = spec
  const params = z.strictObject((spec.params ?? nothing).shape)
  const query = z.strictObject((spec.query ?? nothing).shape)
  const headers = z.object((spec.headers ?? nothing).shape)
  const body = spec.body ?? z.undefined('this route takes no body')
  const wrong = {
    params: 'request-invalid',
    headers: 'request-invalid',
    body: 'request-invalid',
    ...spec.wrong,
  } as const
  return {
    ...declared,
    async serve(request, reply) {
      const call = {
        params: parsed(params, request.params, wrong.params),
        query: parsed(query, request.query, 'request-invalid'),
        headers: parsed(headers, request.headers, wrong.headers),
        body: parsed(body, request.body, wrong.body),
      }
      reply.code(spec.answer.status)
      // The shapes are those of the declaration; rebuilding an object schema loses its type parameter.
      return await handle({ ...call, request, reply } as Call<P, Q, H, B>)
    },
  }
}

/** Once: at the end of the answer, or when its client went away, which may have been before this is called. */
export function whenGone(response: ServerResponse, tell: () => void): void {
  if (response.closed || response.destroyed) tell()
  else response.once('close', tell)
}

/** The largest limit a tenant can have, and room for the rest of the document around the input. */
const BODY_BYTES_MAX = (1 << 20) + 4096

/** By its announced length: fastify would close the connection under a client that still sends, and lose the answer. */
const refuseLong = (bytesMax: number) => async (request: FastifyRequest) => {
  if (Number(request.headers['content-length'] ?? 0) <= bytesMax) return
  throw new EngineError('payload-too-large', `at most ${bytesMax} bytes`)
}

export type Gate = (request: FastifyRequest) => Promise<void>

/** Serves the routes. Every other method on their paths is refused with the list of those that are taken. */
export function mount(
  server: FastifyInstance,
  routes: readonly Route[],
  gates: Record<'admin' | 'tenant', Gate>,
): void {
  const taken = new Map<string, HTTPMethods[]>()
  for (const { method, path, who, early, serve, bodyBytesMax = BODY_BYTES_MAX } of routes) {
    const url = path.replaceAll(/\{(\w+)\}/g, ':$1')
    taken.set(url, [...(taken.get(url) ?? []), method])
    const before: Gate[] = who === 'anybody' ? [] : [gates[who]]
    if (early) before.push(async (request) => early(request))
    if (method !== 'GET') before.push(refuseLong(bodyBytesMax))
    server.route({
      method,
      url,
      onRequest: before,
      bodyLimit: bodyBytesMax,
      async handler(request, reply) {
        reply.header('cache-control', 'no-store')
        const work = async () => await serve(request, reply)
        const context = contextOf(request)
        const value = await (context ? inContext(context, work) : work())
        if (reply.sent) return reply
        return value === undefined ? reply.send() : value
      },
    })
  }
  for (const [url, methods] of taken) {
    const others = server.supportedMethods.filter((method) => !methods.includes(method))
    const refuse = async (_request: FastifyRequest, reply: FastifyReply): Promise<void> => {
      reply.header('allow', methods.join(', '))
      throw new EngineError('method-unsupported')
    }
    server.route({ method: others, url, onRequest: refuse, handler: refuse })
  }
}
