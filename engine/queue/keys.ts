// The only speller of Redis keys. The braces are literal: they make a tenant's id a Redis Cluster hash tag, so all keys of
// a tenant share one slot and one script may touch them together. Refuses nothing itself: a TenantId is valid already.

import type { TenantId } from '../tenant.ts'

/** The order is a contract with functions/keys.lua. */
export const tenantKeys = (id: TenantId): [string, ...string[]] => {
  const at = `tenant:{${id}}:`
  return [
    `${at}ctl`,
    `${at}workflow:events`,
    `${at}workflow:history`,
    `${at}runs:active`,
    `${at}win`,
    `${at}runs`,
    `${at}runs:index`,
    `${at}workflows`,
    `${at}dead`,
  ]
}

export const tenantKey = {
  ctl: (id: TenantId) => `tenant:{${id}}:ctl`,
  events: (id: TenantId) => `tenant:{${id}}:workflow:events`,
  history: (id: TenantId) => `tenant:{${id}}:workflow:history`,
  active: (id: TenantId) => `tenant:{${id}}:runs:active`,
  runs: (id: TenantId) => `tenant:{${id}}:runs`,
  index: (id: TenantId) => `tenant:{${id}}:runs:index`,
  workflows: (id: TenantId) => `tenant:{${id}}:workflows`,
  dead: (id: TenantId) => `tenant:{${id}}:dead`,
  /** A channel, not a key: sharded by the same tag. */
  wake: (id: TenantId) => `tenant:{${id}}:workflow:wake`,
}

export interface SchedulerKeys {
  /** ZSET: tenant → turn; only tenants that can run something now. */
  ready: string
  /** ZSET: tenant → time until which one worker alone is claiming for it. */
  lease: string
  /** SET: tenants that got work while they were leased. */
  dirty: string
  /** Number: the last turn given out. */
  turn: string
  /** ZSET, all scores 0: every registered tenant, in the order of ids, for the audit. */
  tenants: string
}

export const schedulerKeys = (namespace: string): SchedulerKeys => {
  const at = `sched:{${namespace}}:`
  return { ready: `${at}ready`, lease: `${at}lease`, dirty: `${at}dirty`, turn: `${at}turn`, tenants: `${at}tenants` }
}

export const CONSUMER_GROUP = 'workers'
