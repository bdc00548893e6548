// The http adapter: any system that starts work by a POST, declared in YAML. It creates nothing and removes nothing.
// Credentials belong into the environment, and a header names them as ${NAME}; whatever a header holds is sent and never
// told. An address with a password in it is refused, and only loopback is ever called.

import { request } from 'undici'
import { Failure } from '../failure.ts'
import { isLoopback } from '../loopback.ts'
import { readYaml } from '../scenario/yaml.ts'
import { filledFromEnvironment } from './environment-values.ts'
import { type HttpTargetFile, httpTargetSchema, sameTenants } from './http-schema.ts'
import {
  type Call,
  type Capability,
  type Completion,
  called,
  type Target,
  type TenantAccess,
  type TenantPlan,
} from './port.ts'
import { Sentinel } from './sentinel.ts'

/** @param file path of the YAML file. @throws Failure usage when it is wrong, environment when the target is not there */
export function httpTarget(file: string): Target {
  const spec = readYaml(file, httpTargetSchema, 'target')
  const origin = originOf(file, spec.http)
  const tenants = spec.tenants.map(({ id, headers }) => ({ id, headers: fromEnvironment(file, headers) }))
  refuseSame(file, tenants)
  const free = [...tenants]
  const sentinels = new Map<string, Sentinel>()
  const abilities: Capability[] = ['backlog']
  if (spec.read) abilities.push('read')
  if (spec.list) abilities.push('list')

  const reach = async (withinMs: number) => {
    const answer = await request(origin, { headersTimeout: withinMs, bodyTimeout: withinMs })
    await answer.body.dump()
  }

  return {
    name: `http ${origin}`,
    capabilities: new Set(abilities),
    exited: new Promise(() => {}),
    reach,

    async start() {
      try {
        await reach(3000)
      } catch (cause) {
        throw new Failure('environment', 'target-unreachable', `${origin} does not answer`, {
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
      return accessOf(spec, origin, plan, tenant)
    },

    async remove() {},

    /** Seen by a sentinel: a run of the noisy tenant that comes back has everything before it behind it. */
    async backlog(access) {
      const sentinel = sentinels.get(access.id) ?? new Sentinel(called(access))
      sentinels.set(access.id, sentinel)
      return await sentinel.look()
    },

    async trips() {
      return null
    },

    async stop() {},
  }
}

/** The URL is not repeated in what is said of it: it may hold a password. */
function originOf(file: string, url: string): string {
  const { hostname, origin } = new URL(url)
  if (isLoopback(hostname)) return origin
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
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, filledFromEnvironment(file, value)]))
}

function accessOf(
  spec: HttpTargetFile,
  origin: string,
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
    origin,
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
