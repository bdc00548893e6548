// The OpenAPI document, made from the declarations of the routes: nothing in it is written by hand. Refuses nothing; a
// route that is declared is documented.

import { z } from 'zod'
import { catalogue, type ErrorCode } from '../errors.ts'
import { problemPath } from './problems.ts'
import type { Route } from './route.ts'

type Json = Record<string, unknown>

const codes = Object.keys(catalogue) as ErrorCode[]

function schemaOf(schema: z.ZodType, io: 'input' | 'output'): Json {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io, target: 'draft-2020-12', unrepresentable: 'any' })
  return rest
}

/** Every refusal that a route can answer with: its own, and what follows from its declaration. */
function refusalsOf(route: Route): ErrorCode[] {
  const found = new Set<ErrorCode>(route.refuses)
  for (const code of ['request-invalid', 'internal-error'] as const) found.add(code)
  if (!route.withoutStore) found.add('store-unavailable')
  // Redis with no memory left still reads.
  if (route.method !== 'GET') found.add('store-full')
  // For every other method on its path.
  found.add('method-unsupported')
  // From before a route is known: the request did not arrive as HTTP.
  const early = ['request-malformed', 'request-timeout', 'expectation-unsupported', 'headers-too-large'] as const
  for (const code of early) found.add(code)
  for (const code of Object.values(route.wrong ?? {})) found.add(code)
  if (route.who !== 'anybody') found.add('credentials-missing').add('credentials-invalid')
  if (route.who === 'tenant') found.add('tenant-mismatch')
  if (route.method !== 'GET') found.add('payload-too-large').add('media-type-unsupported')
  return codes.filter((code) => found.has(code))
}

function parametersOf(route: Route): Json[] {
  const places = { path: route.params, query: route.query, header: route.headers }
  const named = Object.entries(places).flatMap(([place, fields]) => {
    if (!fields) return []
    const { properties = {}, required = [] } = schemaOf(fields, 'input') as { properties?: Json; required?: string[] }
    return Object.entries(properties).map(([name, schema]) => {
      return { name, in: place, required: place === 'path' || required.includes(name), schema }
    })
  })
  if (route.who !== 'tenant') return named
  const ref = { $ref: '#/components/parameters/TenantId' }
  return [...named, ref]
}

/** What every refusal with this status carries beside its document. */
const REFUSAL_HEADERS: Record<number, Json> = {
  401: { 'WWW-Authenticate': { $ref: '#/components/headers/WwwAuthenticate' } },
  405: { Allow: { $ref: '#/components/headers/Allow' } },
  429: { 'Retry-After': { $ref: '#/components/headers/RetryAfter' } },
  503: { 'Retry-After': { $ref: '#/components/headers/RetryAfter' } },
}

function headersOf(status: number): Json {
  const headers = REFUSAL_HEADERS[status]
  return headers ? { headers } : {}
}

function refusalResponses(route: Route): Json {
  const byStatus = Map.groupBy(refusalsOf(route), (code) => catalogue[code].status)
  const responses: Json = {}
  for (const [status, group] of byStatus) {
    const problem = { $ref: '#/components/schemas/Problem' }
    responses[status] = {
      description: group.map((code) => `\`${code}\`: ${catalogue[code].title}`).join('\n\n'),
      ...headersOf(status),
      content: {
        'application/problem+json': { schema: { allOf: [problem, { properties: { code: { enum: group } } }] } },
      },
    }
  }
  return responses
}

function operationOf(route: Route): Json {
  const { answer, body } = route
  const headers = answer.headers && {
    headers: Object.fromEntries(
      Object.entries(answer.headers).map(([name, schema]) => [name, { schema: schemaOf(schema, 'output') }]),
    ),
  }
  const content = answer.schema && {
    content: { [answer.type ?? 'application/json']: { schema: schemaOf(answer.schema, 'output') } },
  }
  return {
    operationId: route.operationId,
    summary: route.what,
    security: route.who === 'anybody' ? [] : [{ [route.who]: [] }],
    parameters: parametersOf(route),
    ...(body && {
      requestBody: { required: true, content: { 'application/json': { schema: schemaOf(body, 'input') } } },
    }),
    responses: { [answer.status]: { description: answer.what, ...headers, ...content }, ...refusalResponses(route) },
  }
}

const problemSchema: Json = {
  type: 'object',
  description: 'RFC 9457. `type` is a path of this server that says what the code means and what can be done about it.',
  required: ['type', 'title', 'status', 'code'],
  properties: {
    type: { enum: codes.map(problemPath) },
    title: { type: 'string' },
    status: { type: 'integer', minimum: 400, maximum: 599 },
    code: { enum: codes, description: codes.map((code) => `\`${code}\`: ${catalogue[code].mend}`).join('\n\n') },
    detail: { type: 'string', description: 'What was wrong with this request' },
    retryAfterMs: {
      type: 'integer',
      minimum: 1,
      description:
        'Milliseconds until the same request may succeed; with status 429 and 503. Exact for `rate-limited`: not ' +
        'earlier, and then if nobody else starts. For every other code a guess at when to ask again',
    },
  },
}

export function openApiOf(routes: readonly Route[]): Json {
  const paths: Record<string, Json> = {}
  for (const route of routes) {
    paths[route.path] = { ...paths[route.path], [route.method.toLowerCase()]: operationOf(route) }
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Partywall reference engine',
      version: '1',
      description:
        'Multi-tenant workflows on Redis Streams. Every refusal is application/problem+json. A path that is not here ' +
        'is answered with 404 and the code `route-unknown`.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    paths,
    components: {
      securitySchemes: {
        admin: { type: 'http', scheme: 'bearer', description: 'The token that the engine was started with' },
        tenant: { type: 'http', scheme: 'bearer', description: 'The token that the tenant was created with' },
      },
      parameters: {
        TenantId: {
          name: 'x-tenant-id',
          in: 'header',
          required: true,
          description: 'Must agree with the token, which decides',
          schema: { type: 'string', pattern: '^[a-z0-9-]{1,64}$' },
        },
      },
      headers: {
        RetryAfter: {
          description: '`retryAfterMs` in seconds, rounded up',
          required: true,
          schema: { type: 'integer', minimum: 1 },
        },
        WwwAuthenticate: { description: 'How to authenticate', required: true, schema: { const: 'Bearer' } },
        Allow: { description: 'The methods that the path takes', required: true, schema: { type: 'string' } },
      },
      schemas: { Problem: problemSchema },
    },
  }
}
