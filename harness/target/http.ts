// The http adapter: any system that starts work by a POST, declared in YAML. It creates nothing and removes nothing.
// Credentials come from the environment, never from the file; only loopback is ever called.

import { request } from 'undici'
import { Failure } from '../failure.ts'
import { readYaml } from '../scenario/yaml.ts'
import { type HttpTargetFile, httpTargetSchema, sameTenants } from './http-schema.ts'
import { pick } from './json-path.ts'
import type { Call, Capability, Completion, Target, TenantAccess, TenantPlan } from './port.ts'

const SENTINEL_MS = 10_000

/** @param file path of the YAML file. @throws Failure usage when it is wrong, environment when the target is not there */
export function httpTarget(file: string): Target {
  const spec = readYaml(file, httpTargetSchema, 'target')
  refuseRemote(file, spec.http)
  const tenants = spec.tenants.map(({ id, headers }) => ({ id, headers: fromEnvironment(file, headers) }))
  refuseSame(file, tenants)
  const free = [...tenants]
  const abilities: Capability[] = ['backlog']
  if (spec.read) abilities.push('read')
  if (spec.list) abilities.push('list')

  return {
    name: `http ${spec.http}`,
    capabilities: new Set(abilities),
    exited: new Promise(() => {}),

    async start() {
      try {
        const answer = await request(spec.http, { headersTimeout: 3000, bodyTimeout: 3000 })
        await answer.body.dump()
      } catch (cause) {
        throw new Failure('environment', 'target-unreachable', `${spec.http} does not answer`, {
          fix: `start the system, or mend \`http\` in ${file}`,
          cause,
        })
      }
    },

    async provision(plan: TenantPlan) {
      // The noisy tenant is the last of the list, so that the quiet ones keep their order.
      const tenant = plan.label === 'noisy' ? free.pop() : free.shift()
      if (!tenant) {
        throw new Failure(
          'usage',
          'too-few-tenants',
          `${file} lists ${spec.tenants.length} tenants; the scenario wants more`,
          {
            fix: 'list as many tenants as the scenario has',
          },
        )
      }
      return accessOf(spec, plan, tenant)
    },

    async remove() {},

    /** Seen by a sentinel: a run of the noisy tenant that comes back has everything before it behind it. */
    async backlog(access) {
      return (await sentinel(access)) ? 0 : 1
    },

    async trips() {
      return null
    },

    async stop() {},
  }
}

function refuseRemote(file: string, url: string): void {
  const { hostname } = new URL(url)
  if (hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d+){3}$/.test(hostname)) return
  throw new Failure('usage', 'target-not-loopback', `${file}: load goes to loopback only, and ${hostname} is not`, {
    fix: 'run the system on this machine and name 127.0.0.1',
  })
}

/** Two variables may hold the same credential, which the file alone does not show. */
function refuseSame(file: string, tenants: readonly { id: string; headers: Record<string, string> }[]): void {
  const same = sameTenants(tenants)
  if (!same) return
  const { first, second } = same
  const what = `${file}: the tenants ${first.id} and ${second.id} have the same headers, so that the target cannot tell them apart`
  throw new Failure('usage', 'tenants-same', what, {
    fix: "give each tenant a credential of its own; the variables in the file's headers hold the same value",
  })
}

function fromEnvironment(file: string, headers: Record<string, string>): Record<string, string> {
  const filled: Record<string, string> = {}
  for (const [name, value] of Object.entries(headers)) {
    filled[name] = value.replace(/\$\{([A-Z0-9_]+)\}/g, (_, variable: string) => {
      const found = process.env[variable]
      if (found !== undefined && !/[\r\n\0]/.test(found)) return found
      if (found !== undefined) {
        throw new Failure(
          'usage',
          'environment-variable-invalid',
          `${variable}, which ${file} names, has a line break in it`,
          {
            fix: `set ${variable} to a value on one line`,
          },
        )
      }
      throw new Failure(
        'usage',
        'environment-variable-missing',
        `${file} wants the environment variable ${variable}, which is not set`,
        {
          fix: `set ${variable} and run again`,
        },
      )
    })
  }
  return filled
}

function accessOf(
  spec: HttpTargetFile,
  plan: TenantPlan,
  tenant: { id: string; headers: Record<string, string> },
): TenantAccess {
  const headers = { ...tenant.headers, 'content-type': 'application/json' }
  const json = plan.label === 'noisy' && spec.start.noisyJson !== undefined ? spec.start.noisyJson : spec.start.json
  const start: Call = { method: 'POST', path: spec.start.post, headers, body: JSON.stringify(json) }
  const get = (path: string): Call => ({ method: 'GET', path, headers: tenant.headers })
  return {
    label: plan.label,
    id: tenant.id,
    stepMs: spec.stepMs,
    origin: new URL(spec.http).origin,
    start,
    ...(spec.start.id === undefined ? {} : { startIdAt: spec.start.id }),
    completion: completionOf(spec.done),
    ...(spec.read ? { read: get(spec.read) } : {}),
    ...(spec.list === undefined ? {} : listOf(spec.list, get)),
  }
}

function listOf(
  list: NonNullable<HttpTargetFile['list']>,
  get: (path: string) => Call,
): Pick<TenantAccess, 'list' | 'listNext'> {
  if (typeof list === 'string') return { list: get(list) }
  const { get: path, next } = list
  return { list: get(path), ...(next ? { listNext: { cursorAt: next.cursor, param: next.param } } : {}) }
}

function completionOf(done: HttpTargetFile['done']): Completion {
  if (done === 'response') return { by: 'response' }
  const [statusAt = '', values = []] = Object.entries(done.until)[0] ?? []
  const [first = '', ...failed] = values
  return { by: 'poll', everyMs: done.everyMs, path: done.get, statusAt, done: [first], failed }
}

async function sentinel(access: TenantAccess): Promise<boolean> {
  const { start, completion } = access
  const call = async (method: 'GET' | 'POST', path: string, body?: string) => {
    const timeouts = { headersTimeout: SENTINEL_MS, bodyTimeout: SENTINEL_MS }
    const answer = await request(`${access.origin}${path}`, {
      method,
      headers: start.headers,
      body: body ?? null,
      ...timeouts,
    })
    return { status: answer.statusCode, text: await answer.body.text() }
  }
  try {
    const started = await call('POST', start.path, start.body?.replaceAll('{{canary}}', 'sentinel'))
    if (started.status >= 300) return false
    if (completion.by !== 'poll') return true
    const id = String(pick(JSON.parse(started.text), access.startIdAt ?? 'id'))
    for (const until = performance.now() + SENTINEL_MS; performance.now() < until; ) {
      const seen = await call('GET', completion.path.replaceAll('{id}', encodeURIComponent(id)))
      const status = seen.status < 300 ? pick(JSON.parse(seen.text), completion.statusAt) : null
      if (typeof status === 'string' && [...completion.done, ...completion.failed].includes(status)) return true
      await new Promise((resolve) => setTimeout(resolve, completion.everyMs))
    }
    return false
  } catch {
    return false
  }
}
