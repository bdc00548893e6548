// The HTTP side: puts the routes together, binds to this machine only. Refuses every route it does not know, and every
// request that is not HTTP, with the same kind of document as everything else.

import Fastify, { type FastifyInstance } from 'fastify'
import type { Logger } from 'pino'
import { EngineError } from '../errors.ts'
import type { Queue } from '../queue/queue.ts'
import type { Connection } from '../redis.ts'
import type { Runs } from '../runs.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import type { Tenants } from '../tenants.ts'
import { adminOnly, adminPerhaps, tenantOnly } from './authentication.ts'
import type { Brake } from './brake.ts'
import { deadLetterRoutes } from './dead-letters-routes.ts'
import type { Drain } from './drain.ts'
import type { Events } from './events.ts'
import { eventRoutes } from './events-routes.ts'
import type { Exporter } from './export.ts'
import { edgeOptions, guardEdge } from './http-edge.ts'
import { parseJsonBody } from './json-body.ts'
import { openRoutes } from './open-routes.ts'
import { problemHandler, refuseOnSocket, sendProblem } from './problems.ts'
import { reportRoutes } from './reports-routes.ts'
import { mount } from './route.ts'
import { runRoutes } from './runs-routes.ts'
import { tenantRoutes } from './tenants-routes.ts'
import { workflowRoutes } from './workflows-routes.ts'

const HEADER_BYTES_MAX = 16 << 10
/** Headers and body together: who sends slower than this holds a connection for nothing. */
const REQUEST_WITHIN_MS = 10_000
const LATE_REQUESTS_LOOKED_FOR_EVERY_MS = 1000

export interface ServerParts {
  adminToken: string
  redis: Connection
  tenants: Tenants
  runs: Runs
  queue: Queue
  brake: Brake
  events: Events
  metrics: Metrics
  exporter: Exporter
  log: Logger
  stalledExportMs?: number
  drain: Drain
}

function listener(log: Logger): FastifyInstance {
  const onProblem = problemHandler(log)
  const server = Fastify({
    // No log line a request: that is the hot path.
    logger: false,
    forceCloseConnections: true,
    exposeHeadRoutes: false,
    requestTimeout: REQUEST_WITHIN_MS,
    routerOptions: { maxParamLength: HEADER_BYTES_MAX },
    http: {
      ...edgeOptions,
      // A header sent twice is then one value with a comma, which no check takes: the first alone would hide the second.
      joinDuplicateHeaders: true,
      headersTimeout: REQUEST_WITHIN_MS,
      connectionsCheckingInterval: LATE_REQUESTS_LOOKED_FOR_EVERY_MS,
      maxHeaderSize: HEADER_BYTES_MAX,
    },
    clientErrorHandler: refuseOnSocket,
    frameworkErrors: onProblem,
  })
  guardEdge(server)
  server.setErrorHandler(onProblem)
  server.setNotFoundHandler((_request, reply) => sendProblem(reply, new EngineError('route-unknown')))
  server.removeAllContentTypeParsers()
  server.addContentTypeParser('application/json', { parseAs: 'buffer' }, async (_request: unknown, body: Buffer) =>
    parseJsonBody(body),
  )
  return server
}

export function createServer(parts: ServerParts): FastifyInstance {
  const { tenants, runs, events } = parts
  const server = listener(parts.log)
  const routes = [
    ...tenantRoutes(tenants),
    ...workflowRoutes(runs),
    ...runRoutes(parts),
    ...eventRoutes(events),
    ...deadLetterRoutes(parts),
    ...reportRoutes({ ...parts, isAdmin: adminPerhaps(parts.adminToken) }),
  ]
  const gates = { admin: adminOnly(parts.adminToken), tenant: tenantOnly(tenants) }
  mount(server, [...routes, ...openRoutes(parts, routes)], gates)
  return server
}
