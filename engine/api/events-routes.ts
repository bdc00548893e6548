// GET /v1/events. Refuses a Last-Event-ID that this tenant was not given instead of guessing where to begin.

import { z } from 'zod'
import { callerOf } from './authentication.ts'
import type { Events } from './events.ts'
import { type Route, route, whenGone } from './route.ts'

const headers = z.object({
  'last-event-id': z
    .string()
    .optional()
    .meta({ description: 'The id of the last event seen: what came after it is sent first' }),
})

export function eventRoutes(events: Events): Route[] {
  return [
    route({
      method: 'GET',
      path: '/v1/events',
      operationId: 'watchEvents',
      what: 'The ends of the tenant’s runs, as they happen (server-sent events)',
      who: 'tenant',
      headers,
      answer: { status: 200, what: 'An endless stream of events', schema: z.string(), type: 'text/event-stream' },
      refuses: ['cursor-invalid', 'watchers-full'],
      async handle({ headers: { 'last-event-id': lastEventId }, request, reply }) {
        const caller = callerOf(request)
        const from = lastEventId === undefined ? null : caller.cursors.open('events', lastEventId)
        const release = events.takeSeat(caller.id)
        const response = reply.raw
        reply.hijack()
        response.writeHead(200, {
          'content-type': 'text/event-stream',
          'cache-control': 'no-store',
          'x-accel-buffering': 'no',
        })
        response.flushHeaders()
        whenGone(response, release)
        response.on('error', () => {})
        try {
          whenGone(response, await events.follow(caller, response, from))
          // The client knows now that nothing that ends from here on can be missed.
          response.write(': subscribed\n\n')
        } catch {
          // The headers are out; a cut connection is the only word left, and a client comes back by itself.
          response.destroy()
        }
      },
    }),
  ]
}
