// The only speller of Redis keys. The braces are literal: they make a tenant's id a Redis Cluster hash tag, so all keys of
// a tenant share one slot and one script may touch them together. Refuses nothing itself: a TenantId is valid already.

import type { TenantId } from '../tenant.ts'

/** The order is a contract with functions/keys.lua. */
const NAMES = {
  /** HASH: state, limits, token digest, epoch, estimate, when the bell was rung. */
  ctl: 'ctl',
  /** STREAM: what waits and what runs; entries are removed when they end. */
  events: 'workflow:events',
  /** STREAM (MAXLEN, a day): what ended, for the tenant's own watchers. */
  history: 'workflow:history',
  /** ZSET: fence (entry/attempt/epoch) → end of its lease, or its hard deadline when that is sooner. */
  active: 'runs:active',
  /** LIST: the last N start times. */
  win: 'win',
  /** HASH: entry id → head of the run (JSON); and the input, as it came. */
  runs: 'runs',
  /** ZSET: entry id → when it was queued. */
  index: 'runs:index',
  /** HASH: name → definition (JSON). */
  workflows: 'workflows',
  /** STREAM (MAXLEN, a day): dead letters. */
  dead: 'dead',
  inputs: 'runs:inputs',
  /** ZSET: entry id → when it ended; for retention. */
  ended: 'runs:ended',
  /** ZSET: entry id → not before; runs that are to be tried again. */
  retry: 'runs:retry',
  /** HASH: idempotency key → entry id and digest of the start; kept as long as the run. */
  idem: 'idem',
  /** HASHes of counts; see meter.ts. */
  usage: 'usage',
  meter: 'meter',
  slo: 'slo',
  /** For the API: changes of limits and state, and who used which credential when. */
  changes: 'changes',
  accesses: 'accesses',
} as const

type TenantKeyName = keyof typeof NAMES

/** All keys that a tenant has, for a function call. */
export const tenantKeys = (id: TenantId): [string, ...string[]] =>
  Object.values(NAMES).map((name) => `tenant:{${id}}:${name}`) as [string, ...string[]]

const one = (name: TenantKeyName) => (id: TenantId) => `tenant:{${id}}:${NAMES[name]}`

export const tenantKey = {
  ctl: one('ctl'),
  events: one('events'),
  history: one('history'),
  active: one('active'),
  runs: one('runs'),
  inputs: one('inputs'),
  index: one('index'),
  workflows: one('workflows'),
  dead: one('dead'),
  changes: one('changes'),
  accesses: one('accesses'),
  /** A channel, not a key: sharded by the same tag. */
  wake: (id: TenantId) => `tenant:{${id}}:workflow:wake`,
}

/** The order of the first nine is a contract with functions/sched.lua. */
const SCHEDULER = {
  /** ZSET: tenant → virtual start; only tenants that can run something now. */
  ready: 'ready',
  /** ZSET: tenant → when it can run something. */
  parked: 'parked',
  /** ZSET: tenant → time until which one worker alone has its turn. */
  lease: 'lease',
  /** HASH: tenant in its turn → the tag taken at the pick. */
  lt: 'lt',
  /** ZSET: tenant not in `ready` → its last tag; only tags that say more than virtual time does. */
  idle: 'idle',
  /** HASH: virtual time, and the counter behind the order of equals. */
  vt: 'vt',
  /** SET: tenants that got work during their turn. */
  dirty: 'dirty',
  /** ZSET: tenant → when the reaper looks at it next. */
  inflight: 'inflight',
  /** LIST: tenants that got work; an empty element only wakes. */
  bell: 'bell',
  /** ZSET, all scores 0: every registered tenant, in the order of ids, for the audit. */
  tenants: 'tenants',
  /** STRING: which process audits. */
  auditor: 'auditor',
} as const

export type SchedulerKeys = Record<keyof typeof SCHEDULER, string>

export const schedulerKeys = (namespace: string): SchedulerKeys =>
  Object.fromEntries(
    Object.entries(SCHEDULER).map(([name, text]) => [name, `sched:{${namespace}}:${text}`]),
  ) as SchedulerKeys

/** A channel: runs in flight that somebody else ended. */
export const voidChannel = (namespace: string): string => `sched:{${namespace}}:void`

export const CONSUMER_GROUP = 'workers'

/** A user of Redis, not a key: whoever writes straight into the tenant's stream. */
export const streamUser = (id: TenantId): string => `partywall-${id}`
