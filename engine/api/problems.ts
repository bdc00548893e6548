// Refusals as RFC 9457 problem documents. Refuses to show an inner error: what is not in the catalogue is an
// internal-error, whose cause goes to the log only.

import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Logger } from 'pino'
import { catalogue, EngineError, type ErrorCode } from '../errors.ts'

export function sendProblem(reply: FastifyReply, error: EngineError): FastifyReply {
  const { status, title } = catalogue[error.code]
  const { retryAfterMs } = error
  // Whole seconds, rounded up: who comes back then is not early.
  if (retryAfterMs !== undefined) reply.header('retry-after', String(Math.max(1, Math.ceil(retryAfterMs / 1000))))
  if (status === 401) reply.header('www-authenticate', 'Bearer')
  const body = {
    type: `urn:partywall:problem:${error.code}`,
    title,
    status,
    code: error.code,
    ...(error.detail === undefined ? {} : { detail: error.detail }),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  }
  return reply.code(status).header('content-type', 'application/problem+json').send(JSON.stringify(body))
}

/** Fastify's own refusals, by their code. */
const fromFastify: Record<string, ErrorCode> = {
  FST_ERR_CTP_BODY_TOO_LARGE: 'payload-too-large',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'media-type-unsupported',
}

/** What ioredis says when Redis is away, by name or by message: it has no codes for these. */
const AWAY =
  /connection is closed|stream isn't writeable|command timed out|max retries per request|ECONNREFUSED|ECONNRESET|EPIPE|LOADING/i

function toEngineError(error: unknown): EngineError {
  if (error instanceof EngineError) return error
  if (!(error instanceof Error)) return new EngineError('internal-error', undefined, { cause: error })
  const { code, statusCode } = error as { code?: unknown; statusCode?: unknown }
  const mapped = typeof code === 'string' ? fromFastify[code] : undefined
  if (mapped) return new EngineError(mapped)
  if (AWAY.test(`${error.name} ${error.message}`)) {
    return new EngineError('store-unavailable', undefined, { cause: error })
  }
  if (typeof statusCode === 'number' && statusCode >= 400 && statusCode < 500) {
    return new EngineError('request-invalid', error.message, { cause: error })
  }
  return new EngineError('internal-error', undefined, { cause: error })
}

export function problemHandler(log: Logger) {
  return (error: unknown, request: FastifyRequest, reply: FastifyReply): void => {
    const refusal = toEngineError(error)
    if (refusal.code === 'internal-error') {
      log.error({ err: refusal.cause, method: request.method, route: request.routeOptions.url }, 'a request failed')
    }
    sendProblem(reply, refusal)
  }
}
