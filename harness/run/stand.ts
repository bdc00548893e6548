// Brings up what a run measures: stack, target, tenants. Whatever is started here says how it is cleaned.

import { randomBytes } from 'node:crypto'
import type { Load } from '../load/shapes.ts'
import type { Scenario } from '../scenario/schema.ts'
import type { Guard } from '../stack/guard.ts'
import { startPrivateRedis, useGivenRedis } from '../stack/redis.ts'
import type { Target, TenantAccess, TenantPlan } from '../target/port.ts'
import { referenceTarget } from '../target/reference.ts'
import { SLOW } from './noise-plans.ts'
import type { ActsOptions, RunOptions } from './options.ts'

export const plans = (scenario: Scenario, tag: string): { quiet: TenantPlan[]; noisy: TenantPlan; loads: Load[] } => {
  const quiet: TenantPlan[] = []
  const loads: Load[] = []
  let noisy: TenantPlan | null = null
  for (const tenant of scenario.tenants) {
    for (let i = 0; i < tenant.count; i++) {
      const label = tenant.role === 'noisy' ? 'noisy' : `quiet-${quiet.length + 1}`
      const plan: TenantPlan = { label, id: `${label}${tag}`, stepMs: tenant.stepMs, ...tenant.limits }
      const { slow } = scenario.noise
      if (tenant.role === 'noisy') {
        noisy = slow ? { ...plan, workflows: [{ name: SLOW, does: 'sleep', ms: slow.runMs }] } : plan
      } else {
        quiet.push(plan)
        loads.push({ ratePerSecond: tenant.arrivalsPerSecond, shape: tenant.schedule ?? 'poisson' })
      }
    }
  }
  if (!noisy) throw new Error('the schema lets no scenario through without a noisy tenant')
  return { quiet, noisy, loads }
}

export interface Stand {
  target: Target
  quiet: TenantAccess[]
  noisy: TenantAccess
  redis: string
  died: Promise<string>
}

interface StandingTarget {
  target: Target
  /** Ends the ids of our tenants. */
  tag: string
  redis: string
  died: Promise<string>
}

/** Stack and target, up and answering. */
export async function standTarget(
  options: Pick<RunOptions | ActsOptions, 'target' | 'redisUrl'>,
  guard: Guard,
  cleaners: Array<() => Promise<unknown>>,
  slots?: number,
): Promise<StandingTarget> {
  const tag = options.redisUrl ? `-${randomBytes(3).toString('hex')}` : ''
  let target: Target
  let redis = 'none of ours'
  const deaths: Array<Promise<string>> = []
  if (options.target.kind === 'reference') {
    const server = options.redisUrl ? await useGivenRedis(options.redisUrl) : await startPrivateRedis(guard)
    if ('exited' in server) deaths.push(server.exited)
    redis = `${server.kind}, ${server.version}`
    const { defect } = options.target
    const namespace = tag === '' ? '0' : tag.slice(1)
    const room = slots === undefined ? {} : { slots }
    target = referenceTarget({ guard, redisUrl: server.url, namespace, defect, ...room })
  } else {
    target = await options.target.make()
  }
  cleaners.push(() => target.stop())
  await target.start()
  deaths.push(target.exited.then(({ reason }) => reason))
  return { target, tag, redis, died: Promise.race(deaths) }
}

export async function stand(
  options: RunOptions,
  guard: Guard,
  cleaners: Array<() => Promise<unknown>>,
): Promise<Stand> {
  const { target, tag, redis, died } = await standTarget(options, guard, cleaners)
  const planned = plans(options.scenario, tag)
  const provision = async (plan: TenantPlan) => {
    const access = await target.provision(plan)
    cleaners.push(() => target.remove(access))
    return access
  }
  const quiet: TenantAccess[] = []
  for (const plan of planned.quiet) quiet.push(await provision(plan))
  return { target, quiet, noisy: await provision(planned.noisy), redis, died }
}
