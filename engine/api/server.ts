// The HTTP side: puts the routes together, binds to this machine only. Refuses every route it does not know with the same
// kind of document as everything else.

import Fastify, { type FastifyInstance } from 'fastify'
import type { Logger } from 'pino'
import { EngineError } from '../errors.ts'
import type { Queue } from '../queue/queue.ts'
import type { Connection } from '../redis.ts'
import type { Runs } from '../runs.ts'
import type { Tenants } from '../tenants.ts'
import type { Brake } from './brake.ts'
import type { Events } from './events.ts'
import { eventRoutes } from './events-routes.ts'
import { problemHandler, sendProblem } from './problems.ts'
import { runRoutes } from './runs-routes.ts'
import { tenantRoutes } from './tenants-routes.ts'
import { workflowRoutes } from './workflows-routes.ts'

/** The largest limit a tenant can have, and room for the rest of the document around the input. */
const BODY_BYTES_MAX = (1 << 20) + 4096

export interface ServerParts {
  adminToken: string
  redis: Connection
  tenants: Tenants
  runs: Runs
  queue: Queue
  brake: Brake
  events: Events
  log: Logger
}

export function createServer(parts: ServerParts): FastifyInstance {
  // No log line a request: that is the hot path.
  const server = Fastify({ logger: false, bodyLimit: BODY_BYTES_MAX, forceCloseConnections: true })
  server.setErrorHandler(problemHandler(parts.log))
  server.setNotFoundHandler((_request, reply) => sendProblem(reply, new EngineError('route-unknown')))
  server.get('/healthz', async () => ({ ok: true }))
  server.get('/readyz', async () => {
    await parts.redis.ping()
    return { ok: true }
  })
  tenantRoutes(server, parts.tenants, parts.adminToken)
  workflowRoutes(server, parts.runs, parts.tenants)
  runRoutes(server, parts)
  eventRoutes(server, parts.events, parts.tenants)
  return server
}
