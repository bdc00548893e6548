// Who is calling. `Authorization: Bearer` decides; x-tenant-id must agree with it. Refuses before the body is read, and
// says no more to a wrong token than to a missing tenant.

import type { FastifyRequest } from 'fastify'
import { EngineError } from '../errors.ts'
import type { Context } from '../telemetry/context.ts'
import { digestOf, isTenantId, sameDigest } from '../tenant.ts'
import type { Caller, Tenants } from '../tenants.ts'
import { parseRunId } from '../workflow.ts'

const callers = new WeakMap<FastifyRequest, Caller>()

function bearer(request: FastifyRequest): string {
  const header = request.headers.authorization
  const token = header === undefined ? undefined : /^Bearer ([\x21-\x7e]{1,512})$/i.exec(header)?.[1]
  if (token === undefined) throw new EngineError('credentials-missing')
  return token
}

export function adminOnly(adminToken: string) {
  const digest = digestOf(adminToken)
  return async (request: FastifyRequest): Promise<void> => {
    if (!sameDigest(digest, digestOf(bearer(request)))) throw new EngineError('credentials-invalid')
  }
}

/** Whether the bearer is the administrator; nobody may be wrong about who they are, but they may be nobody. */
export function adminPerhaps(adminToken: string) {
  const only = adminOnly(adminToken)
  return async (request: FastifyRequest): Promise<boolean> => {
    if (request.headers.authorization === undefined) return false
    await only(request)
    return true
  }
}

export function tenantOnly(tenants: Tenants) {
  return async (request: FastifyRequest): Promise<void> => {
    const caller = await tenants.byToken(bearer(request))
    if (caller === null) throw new EngineError('credentials-invalid')
    const named = request.headers['x-tenant-id']
    if (!isTenantId(named) || named !== caller.id) throw new EngineError('tenant-mismatch')
    callers.set(request, caller)
  }
}

/** Whose request it is, and which of the caller's own runs it names in its path, for whoever writes a log line. */
export function contextOf(request: FastifyRequest): Context | undefined {
  const tenant = callers.get(request)?.id
  if (tenant === undefined) return undefined
  const { id } = request.params as { id?: string }
  return id !== undefined && parseRunId(id)?.owner === tenant ? { tenant, run: id } : { tenant }
}

/** Only on routes behind `tenantOnly`; elsewhere it is a fault of the engine. */
export function callerOf(request: FastifyRequest): Caller {
  const caller = callers.get(request)
  if (!caller) throw new Error('a route without authentication asked for its caller')
  return caller
}
