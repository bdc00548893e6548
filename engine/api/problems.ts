// Refusals as RFC 9457 problem documents. Refuses to show an inner error: what is not in the catalogue is an
// internal-error, whose cause goes to the log only.

import { type ServerResponse, STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Logger } from 'pino'
import { catalogue, EngineError, type ErrorCode } from '../errors.ts'
import { contextOf } from './authentication.ts'

/** Where a code is explained; see open-routes.ts. */
export const problemPath = (code: ErrorCode): string => `/problems/${code}`

function documentOf({ code, detail, retryAfterMs }: EngineError): string {
  const { status, title } = catalogue[code]
  return JSON.stringify({
    type: problemPath(code),
    title,
    status,
    code,
    ...(detail === undefined ? {} : { detail }),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  })
}

export function sendProblem(reply: FastifyReply, error: EngineError): FastifyReply {
  const { status } = catalogue[error.code]
  const { retryAfterMs } = error
  // Whole seconds, rounded up: who comes back then is not early.
  if (retryAfterMs !== undefined) reply.header('retry-after', String(Math.max(1, Math.ceil(retryAfterMs / 1000))))
  if (status === 401) reply.header('www-authenticate', 'Bearer')
  return reply.code(status).header('content-type', 'application/problem+json').send(documentOf(error))
}

/** Fastify's own refusals, by their code. */
const fromFastify: Record<string, ErrorCode> = {
  FST_ERR_CTP_BODY_TOO_LARGE: 'payload-too-large',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'media-type-unsupported',
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: 'request-malformed',
  FST_ERR_BAD_URL: 'request-malformed',
  FST_ERR_MAX_PARAM_LENGTH: 'route-unknown',
}

/** What ioredis says when Redis is away, by name or by message: it has no codes for these. */
const AWAY =
  /connection is closed|stream isn't writeable|command timed out|max retries per request|ECONNREFUSED|ECONNRESET|EPIPE/i
/** What Redis itself begins an answer with when it is there and does not serve: it passes, or the operator sees to it. */
const NOT_SERVING = /^(LOADING|BUSY|READONLY|MASTERDOWN|MISCONF|NOREPLICAS|CLUSTERDOWN|TRYAGAIN|UNBLOCKED)\b/
const STORE_RETRY_MS = 1000

/** Null when it is no failing of Redis. */
function storeFault({ name, message }: Error): ErrorCode | null {
  if (name !== 'ReplyError') return AWAY.test(`${name} ${message}`) ? 'store-unavailable' : null
  if (/^OOM\b/.test(message)) return 'store-full'
  return NOT_SERVING.test(message) ? 'store-unavailable' : null
}

function toEngineError(error: unknown, bodyBytesMax?: number): EngineError {
  if (error instanceof EngineError) return error
  if (!(error instanceof Error)) return new EngineError('internal-error', undefined, { cause: error })
  const { code, statusCode } = error as { code?: unknown; statusCode?: unknown }
  const mapped = typeof code === 'string' ? fromFastify[code] : undefined
  if (mapped)
    return new EngineError(mapped, mapped === 'payload-too-large' ? `at most ${bodyBytesMax} bytes` : undefined)
  // Before the look for ioredis' words: a client that went away while it sent its body is not Redis that went away.
  if (typeof statusCode === 'number' && statusCode >= 400 && statusCode < 500) {
    return new EngineError('request-malformed', undefined, { cause: error })
  }
  const fault = storeFault(error)
  if (fault) return new EngineError(fault, undefined, { retryAfterMs: STORE_RETRY_MS, cause: error })
  return new EngineError('internal-error', undefined, { cause: error })
}

export function problemHandler(log: Logger) {
  return (error: unknown, request: FastifyRequest, reply: FastifyReply): void => {
    const { url: route, bodyLimit } = request.routeOptions
    const refusal = toEngineError(error, bodyLimit)
    if (refusal.code === 'internal-error') {
      // Outside of the route's context by now: whose request it was is said here.
      log.error({ err: refusal.cause, method: request.method, route, ...contextOf(request) }, 'a request failed')
    }
    sendProblem(reply, refusal)
  }
}

/** What never became a request of a route. Its body is not waited for. */
export function sendOnResponse(refusal: EngineError, response: ServerResponse): void {
  const body = documentOf(refusal)
  const headers = { 'content-type': 'application/problem+json', 'content-length': Buffer.byteLength(body) }
  response.writeHead(catalogue[refusal.code].status, { ...headers, connection: 'close' }).end(body)
}

/** What has no response object: the document is written on the socket, which is then closed. */
export function sendOnSocket(refusal: EngineError, socket: Duplex & { destroySoon?: () => void }): void {
  const { status } = catalogue[refusal.code]
  const body = documentOf(refusal)
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    'content-type: application/problem+json',
    `content-length: ${Buffer.byteLength(body)}`,
    'connection: close',
  ]
  if (socket.writable) socket.end(`${head.join('\r\n')}\r\n\r\n${body}`)
  socket.destroySoon?.()
}

/** What could not be read as HTTP. */
export function refuseOnSocket(error: { code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || socket.destroyed) return
  const refusal = new EngineError(
    error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
      ? 'request-timeout'
      : error.code === 'HPE_HEADER_OVERFLOW'
        ? 'headers-too-large'
        : 'request-malformed',
  )
  sendOnSocket(refusal, socket)
}
