// A target that a user has written as a TypeScript module. Checked when it is handed over and at every tenant that it makes,
// so that a fault of the adapter is told in words, and never becomes a finding about the system behind it.

import { request } from 'undici'
import { z } from 'zod'
import { Failure } from '../failure.ts'
import { isLoopback, redisUrl } from '../loopback.ts'
import { type Capability, called, type Target, type TargetExit, type TenantAccess, type TenantPlan } from './port.ts'
import { Sentinel } from './sentinel.ts'

type Optional = Pick<Target, 'reach' | 'runs' | 'loseGroups' | 'crash'>

/** What an author writes: a name and tenants that can start work and see it end; everything else as far as it is there. */
export interface AuthoredTarget extends Optional {
  name: string
  /** Abilities that no function shows: tenants made and removed by us, steps of our choice, weights. */
  capabilities?: ReadonlyArray<'tenants' | 'steps' | 'weights'>
  /** Brings the system up; left out where it is up already. */
  start?(): Promise<void>
  provision(plan: TenantPlan): Promise<TenantAccess> | TenantAccess
  remove?(access: TenantAccess): Promise<void>
  /** Queued and active runs of a tenant. Without it a run of the noisy tenant is sent behind its flood, and seen to come back. */
  backlog?(access: TenantAccess): Promise<number | null>
  /** Resolves when the system ends by itself, where the module has started it. */
  exited?: Promise<TargetExit>
  stop?(): Promise<void>
}

export type AuthoredTargetModule = AuthoredTarget | (() => AuthoredTarget | Promise<AuthoredTarget>)

/** For authors: types the default export of a target module, and does nothing else. */
export function defineTarget(target: AuthoredTargetModule): AuthoredTargetModule {
  return target
}

const names = {
  wanted: ['provision'],
  optional: ['start', 'remove', 'backlog', 'stop', 'reach', 'runs', 'loseGroups', 'crash'],
} as const
const KNOWN = new Set<string>(['name', 'capabilities', 'exited', ...names.wanted, ...names.optional])
const DECLARED = new Set<Capability>(['tenants', 'steps', 'weights'])

/** All that is wrong with what a module exports, in words; empty when it can be used. */
function faultsOf(exported: unknown): string[] {
  if (typeof exported !== 'object' || exported === null) {
    return [
      `the default export is ${exported === null ? 'null' : typeof exported}, not a target or a function that makes one`,
    ]
  }
  const faults: string[] = []
  const at = (name: string): unknown => Reflect.get(exported, name)
  if (typeof at('name') !== 'string' || at('name') === '')
    faults.push('`name` is missing: what reports call the system')
  for (const name of names.wanted) {
    if (typeof at(name) !== 'function')
      faults.push(`\`${name}\` is missing: a function that answers with a tenant's access`)
  }
  for (const name of names.optional) {
    if (at(name) !== undefined && typeof at(name) !== 'function') faults.push(`\`${name}\` is not a function`)
  }
  const declared = at('capabilities')
  if (declared !== undefined && !Array.isArray(declared)) faults.push('`capabilities` is not a list')
  for (const name of Array.isArray(declared) ? declared : []) {
    if (!DECLARED.has(name)) {
      faults.push(
        `\`capabilities\` names ${JSON.stringify(name)}; it may name ${[...DECLARED].join(', ')}, the others are seen by their functions`,
      )
    }
  }
  if (Array.isArray(declared) && declared.includes('tenants') && typeof at('remove') !== 'function') {
    faults.push('`capabilities` names tenants, which wants the function `remove`')
  }
  const exited = at('exited')
  if (exited !== undefined && typeof Reflect.get(Object(exited), 'then') !== 'function')
    faults.push('`exited` is not a promise')
  for (const name of Object.keys(exported))
    if (!KNOWN.has(name)) faults.push(`\`${name}\` is not known; known are ${[...KNOWN].join(', ')}`)
  return faults
}

const path = z.string().startsWith('/', 'must be a path that begins with /')
const headers = z.record(z.string(), z.string())
const call = z.object({ method: z.enum(['GET', 'POST']), path, headers, body: z.string().optional() })
const states = { statusAt: z.string().min(1), done: z.array(z.string()).min(1), failed: z.array(z.string()) }
const access = z
  .object({
    label: z.string(),
    id: z.string().min(1),
    origin: z
      .url({ protocol: /^https?$/ })
      .refine(
        (url) => isLoopback(new URL(url).hostname),
        'must be on this machine, like http://127.0.0.1:3000: load goes to loopback only',
      ),
    stepMs: z.number().nonnegative(),
    start: call,
    startIdAt: z.string().min(1).optional(),
    completion: z.discriminatedUnion('by', [
      z.object({ by: z.literal('response') }),
      z.object({
        by: z.literal('poll'),
        everyMs: z.number().min(1),
        path: path.includes('{id}', 'must hold {id}'),
        ...states,
      }),
      z.object({ by: z.literal('sse'), call, idAt: z.string().min(1), ...states }),
    ]),
    read: call.optional(),
    list: call.optional(),
    export: call.optional(),
    stream: z
      .object({
        redisUrl: z
          .string()
          .refine((text) => 'url' in redisUrl(text), 'must be a redis:// URL of this machine, without a query'),
        key: z.string().min(1),
      })
      .optional(),
  })
  .superRefine((given, context) => {
    if (given.completion.by !== 'response' && given.startIdAt === undefined) {
      const message = `is missing: completion by ${given.completion.by} wants to know where the answer of a start holds the id`
      context.addIssue({ code: 'custom', path: ['startIdAt'], message })
    }
    if (!(given.start.body ?? '').includes('{{canary}}') && !given.start.path.includes('{{canary}}')) {
      const message = 'must hold {{canary}} somewhere: without it nobody can tell whose data an answer shows'
      context.addIssue({ code: 'custom', path: ['start', 'body'], message })
    }
  })

/** Values are not repeated: a header holds a credential. */
function refuseAccess(file: string, plan: TenantPlan, given: unknown): void {
  const parsed = access.safeParse(given)
  const problems = parsed.success
    ? []
    : parsed.error.issues.map(({ path, message }) => `${path.join('.') || 'it'} ${message}`)
  const label = Reflect.get(Object(given), 'label')
  if (parsed.success && label !== plan.label) problems.push(`label is ${JSON.stringify(label)}, not that of the plan`)
  if (problems.length === 0) return
  throw new Failure(
    'usage',
    'target-invalid',
    `${file}: provision(${plan.label}) answered with an access that cannot be used: ${problems.join('; ')}`,
    {
      fix: 'mend what `provision` answers with; the type TenantAccess has every field',
    },
  )
}

/** @param exported the default export of a user's module. @throws Failure usage, with all of its faults */
export async function authoredTarget(file: string, exported: unknown): Promise<Target> {
  const given = typeof exported === 'function' ? await exported() : exported
  const faults = faultsOf(given)
  if (faults.length > 0) {
    throw new Failure('usage', 'target-invalid', faults.map((fault) => `${file}: ${fault}`).join('\n'), {
      fix: 'mend the module at the places named; `defineTarget` lets the compiler find them',
    })
  }
  return portOf(file, given as AuthoredTarget)
}

function portOf(file: string, authored: AuthoredTarget): Target {
  const { name, capabilities = [], runs, loseGroups, crash } = authored
  const abilities = new Set<Capability>(['backlog', ...capabilities])
  if (runs) abilities.add('history')
  if (loseGroups) abilities.add('groups')
  if (crash) abilities.add('crash')
  const ids = new Map<string, string>()
  const sentinels = new Map<string, Sentinel>()
  let origin: string | null = null
  return {
    name,
    capabilities: abilities,
    exited: authored.exited ?? new Promise(() => {}),
    async start() {
      await authored.start?.()
    },
    async provision(plan) {
      const made = await authored.provision(plan)
      refuseAccess(file, plan, made)
      const same = ids.get(made.id)
      if (same !== undefined && same !== plan.label) {
        throw new Failure(
          'usage',
          'tenants-same',
          `${file}: ${same} and ${plan.label} are both the tenant ${made.id}`,
          {
            fix: 'answer each plan with a tenant of its own',
          },
        )
      }
      ids.set(made.id, plan.label)
      origin ??= made.origin
      for (const [ability, there] of [
        ['sse', made.completion.by === 'sse'],
        ['read', made.read],
        ['list', made.list],
        ['export', made.export],
        ['stream', made.stream],
      ] as const) {
        if (there) abilities.add(ability)
      }
      return made
    },
    async remove(given) {
      ids.delete(given.id)
      await authored.remove?.(given)
    },
    async backlog(given) {
      if (authored.backlog) return await authored.backlog(given)
      const sentinel = sentinels.get(given.id) ?? new Sentinel(called(given))
      sentinels.set(given.id, sentinel)
      return await sentinel.look()
    },
    async reach(withinMs) {
      if (authored.reach) return await authored.reach(withinMs)
      if (origin === null) return
      const answer = await request(origin, { headersTimeout: withinMs, bodyTimeout: withinMs })
      await answer.body.dump()
    },
    ...(runs ? { runs: (given: TenantAccess) => runs.call(authored, given) } : {}),
    ...(loseGroups ? { loseGroups: (given: TenantAccess) => loseGroups.call(authored, given) } : {}),
    ...(crash ? { crash: () => crash.call(authored) } : {}),
    async trips() {
      return null
    },
    async stop() {
      await authored.stop?.()
    },
  }
}
