// GET /v1/events. Refuses a Last-Event-ID that is not one of ours instead of guessing where to begin.

import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import type { Tenants } from '../tenants.ts'
import { callerOf, tenantOnly } from './authentication.ts'
import type { Events } from './events.ts'
import { parsed } from './parse.ts'

const lastEventId = z
  .string()
  .regex(/^\d{1,20}-\d{1,20}$/, 'not an event id of ours')
  .optional()

export function eventRoutes(server: FastifyInstance, events: Events, tenants: Tenants): void {
  server.get('/v1/events', { onRequest: tenantOnly(tenants) }, async (request, reply) => {
    const from = parsed(lastEventId, request.headers['last-event-id'], 'request-invalid') ?? null
    const { id } = callerOf(request)
    const response = reply.raw
    reply.hijack()
    response.writeHead(200, {
      'content-type': 'text/event-stream',
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
    })
    response.flushHeaders()
    const gone = new Promise<void>((resolve) => response.once('close', resolve))
    response.on('error', () => {})
    try {
      const leave = await events.follow(id, response, from)
      void gone.then(leave)
      if (response.destroyed) leave()
      // The client knows now that nothing that ends from here on can be missed.
      response.write(': subscribed\n\n')
    } catch {
      // The headers are out; a cut connection is the only word left, and a client comes back by itself.
      response.destroy()
    }
  })
}
