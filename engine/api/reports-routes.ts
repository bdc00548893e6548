// What a tenant, or the administrator, wants to know as a whole: how well it is served, and everything that is kept of it.
// Refuses to show a tenant any figure of another.

import { Readable } from 'node:stream'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import type { Metrics } from '../telemetry/metrics.ts'
import { sloShape } from '../telemetry/slo.ts'
import { parseTenantId } from '../tenant.ts'
import type { Tenants } from '../tenants.ts'
import { callerOf } from './authentication.ts'
import type { Exporter } from './export.ts'
import { type Route, route, whenGone } from './route.ts'

export interface ReportParts {
  tenants: Tenants
  metrics: Metrics
  exporter: Exporter
  /** How long an export may stand still, milliseconds; shorter only in tests. */
  stalledExportMs?: number
  /** Whether the bearer, if there is one, is the administrator's. @throws EngineError when it is a wrong one */
  isAdmin: (request: FastifyRequest) => Promise<boolean>
}

const exported = {
  status: 200,
  what: 'One JSON document a line; the last one has kind `end` and the count of each kind. Without it, it is not whole',
  schema: z.string(),
  type: 'application/x-ndjson',
} as const

/** A client that takes nothing for so long has gone, or holds its seat for nothing. */
const STALLED_MS = 30_000

function stream(reply: FastifyReply, lines: AsyncIterable<string>, stalledMs: number): Readable {
  reply.header('content-type', exported.type)
  // Counts what the kernel takes: a slow client is not a stalled one. A cut answer has no last line.
  reply.raw.setTimeout(stalledMs, () => reply.raw.destroy())
  // Lines are made as the client takes them: what is in memory is one page.
  return Readable.from(lines, { highWaterMark: 1 })
}

export function reportRoutes(parts: ReportParts): Route[] {
  const { tenants, metrics, exporter, isAdmin, stalledExportMs = STALLED_MS } = parts
  const metricHeaders = z.object({
    authorization: z.string().optional().meta({ description: 'With the admin token: the tenants’ series too' }),
  })
  return [
    route({
      method: 'GET',
      path: '/v1/slo',
      operationId: 'readSlo',
      what: 'How well the tenant is served, by its objectives, and what it used',
      who: 'tenant',
      answer: { status: 200, what: 'The report', schema: sloShape },
      refuses: [],
      handle: async ({ request }) => await metrics.reportOf(callerOf(request)),
    }),
    route({
      method: 'GET',
      path: '/v1/export',
      operationId: 'exportOwn',
      what: 'Everything that is kept of the tenant',
      who: 'tenant',
      answer: exported,
      refuses: ['exports-full'],
      async handle({ request, reply }) {
        const caller = callerOf(request)
        whenGone(reply.raw, exporter.takeSeat('tenant', caller.id))
        return stream(reply, exporter.lines(caller), stalledExportMs)
      },
    }),
    route({
      method: 'GET',
      path: '/v1/tenants/{id}/export',
      operationId: 'exportTenant',
      what: 'Everything that is kept of a tenant',
      who: 'admin',
      params: z.object({ id: z.string() }),
      wrong: { params: 'tenant-id-invalid' },
      answer: exported,
      refuses: ['tenant-id-invalid', 'tenant-unknown', 'exports-full'],
      async handle({ params: { id }, reply }) {
        const tenant = parseTenantId(id)
        whenGone(reply.raw, exporter.takeSeat('admin', tenant))
        return stream(reply, exporter.lines(await tenants.byId(tenant)), stalledExportMs)
      },
    }),
    route({
      method: 'GET',
      path: '/metrics',
      operationId: 'metrics',
      what: 'Prometheus text: of the process for anybody, of the tenants for the administrator',
      who: 'anybody',
      headers: metricHeaders,
      answer: { status: 200, what: 'Version 0.0.4', schema: z.string(), type: 'text/plain' },
      refuses: ['credentials-missing', 'credentials-invalid'],
      async handle({ request, reply }) {
        const text = (await isAdmin(request)) ? await metrics.all() : metrics.process()
        reply.header('content-type', 'text/plain; version=0.0.4; charset=utf-8')
        return text
      },
    }),
  ]
}
