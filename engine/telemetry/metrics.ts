// What Prometheus is told. Anybody sees the process; only the administrator sees tenants, since their names and their load
// are nobody else's. Bounded: the busiest tenants have series of their own, all others are one series, `other`. Figures of
// a window, not counters: a tenant may move into `other` and back without any series going backwards.

import { monitorEventLoopDelay } from 'node:perf_hooks'
import { schedulerKeys, tenantKey } from '../queue/keys.ts'
import type { Depth, Queue } from '../queue/queue.ts'
import type { Connection } from '../redis.ts'
import { isTenantId, type TenantId } from '../tenant.ts'
import type { Caller, Tenants } from '../tenants.ts'
import { type Series, textOf } from './prometheus.ts'
import {
  lastMinutes,
  type Objectives,
  type SloReport,
  type Sums,
  signalsOf,
  sloOf,
  sumOf,
  type WindowReport,
  windowOf,
  withOpenStretches,
} from './slo.ts'

/** Tenants with series of their own; 20 series each, so the text has at most about 2,100 lines. */
const OWN_SERIES_MAX = 100
/** What one collection reads anew, by turns: with more tenants the figures of some are older, and Redis no busier. */
const READ_A_COLLECTION = 1000
const READ_AT_A_TIME = 16
/** Scrapes within this time of each other get the same text. */
const KEPT_MS = 5000
const WINDOW_MINUTES = 5
const LOOP_DELAY_RESOLUTION_MS = 10

interface Observed {
  sums: Sums | null
  seconds: number
  objectives: Objectives
  depth: Depth
}

interface Row extends Depth {
  tenant: string
  report: WindowReport
  slotSecondsPerSecond: number
}

export interface MetricsParts {
  redis: Connection
  queue: Queue
  tenants: Tenants
  namespace: string
}

export class Metrics {
  readonly #parts: MetricsParts
  readonly #loopDelay = monitorEventLoopDelay({ resolution: LOOP_DELAY_RESOLUTION_MS })
  readonly #observed = new Map<TenantId, Observed>()
  #readFrom = '-'
  #collected: { text: Promise<string>; untilMs: number } | null = null

  constructor(parts: MetricsParts) {
    this.#parts = parts
    this.#loopDelay.enable()
  }

  stop(): void {
    this.#loopDelay.disable()
  }

  async reportOf(caller: Caller): Promise<SloReport> {
    return sloOf(caller, await this.#meterOf(caller.id))
  }

  async #meterOf(tenant: TenantId) {
    const { redis, queue } = this.#parts
    const [meter, [capSince, fullSince]] = await Promise.all([
      queue.meter(tenant),
      redis.hmget(tenantKey.ctl(tenant), 'capSince', 'fullSince'),
    ])
    return withOpenStretches(meter, Number(capSince ?? 0), Number(fullSince ?? 0))
  }

  /** For anybody: no tenant, and nothing that tells how many there are. */
  process(): string {
    return textOf(this.#processSeries())
  }

  /** For the administrator. */
  async all(): Promise<string> {
    const kept = this.#collected
    if (kept && kept.untilMs > performance.now()) return await kept.text
    const text = this.#collect()
    this.#collected = { text, untilMs: performance.now() + KEPT_MS }
    text.catch(() => {
      this.#collected = null
    })
    return await text
  }

  #processSeries(): Series[] {
    const { user, system } = process.cpuUsage()
    return [
      gauge('partywall_up', 'Whether this process serves', [{ value: 1 }]),
      gauge('process_resident_memory_bytes', 'Resident memory', [{ value: process.memoryUsage.rss() }]),
      gauge('process_uptime_seconds', 'Since this process started', [{ value: Math.round(process.uptime()) }]),
      {
        ...gauge('process_cpu_seconds_total', 'Processor time of this process', [{ value: (user + system) / 1e6 }]),
        type: 'counter',
      },
      gauge('partywall_loop_delay_seconds', 'Delay of the event loop since the start', [
        { labels: { quantile: '0.99' }, value: this.#loopDelay.percentile(99) / 1e9 },
      ]),
    ]
  }

  async #collect(): Promise<string> {
    const { redis, namespace } = this.#parts
    const registry = schedulerKeys(namespace).tenants
    const page = await redis.zrangebylex(registry, this.#readFrom, '+', 'LIMIT', 0, READ_A_COLLECTION)
    const last = page.at(-1)
    this.#readFrom = page.length === READ_A_COLLECTION && last !== undefined ? `(${last}` : '-'
    const left = page.filter(isTenantId)
    const reader = async () => {
      for (let id = left.pop(); id !== undefined; id = left.pop()) await this.#observe(id)
    }
    await Promise.all(Array.from({ length: READ_AT_A_TIME }, reader))
    const known = await redis.zcard(registry)
    // Removed ones that no page would come upon again.
    if (this.#observed.size > known) await this.#forgetRemoved(registry)
    return textOf([...this.#processSeries(), ...seriesOf(this.#observed, known)])
  }

  async #observe(id: TenantId): Promise<void> {
    const { tenants, queue } = this.#parts
    const caller = await tenants.byId(id).catch(() => null)
    if (!caller) {
      this.#observed.delete(id)
      return
    }
    const [meter, depth] = await Promise.all([this.#meterOf(id), queue.depth(id)])
    const { sums, seconds } = lastMinutes(meter, WINDOW_MINUTES, caller.createdAtMs)
    this.#observed.set(id, { sums, seconds, objectives: caller.objectives, depth })
  }

  async #forgetRemoved(registry: string): Promise<void> {
    const ids = [...this.#observed.keys()]
    const scores = await Promise.all(ids.map((id) => this.#parts.redis.zscore(registry, id)))
    for (const [at, id] of ids.entries()) if (scores[at] === null) this.#observed.delete(id)
  }
}

const gauge = (name: string, help: string, samples: Series['samples']): Series => ({
  name,
  help,
  type: 'gauge',
  samples,
})

const rowOf = (tenant: string, { sums, seconds, objectives, depth }: Observed): Row => ({
  tenant,
  ...depth,
  report: windowOf(sums, WINDOW_MINUTES, seconds, objectives),
  slotSecondsPerSecond: seconds > 0 ? (sums?.counts.slotMs ?? 0) / 1000 / seconds : 0,
})

/** The busiest by slot time, then by load; the rest together. Ratios and burn of `other` are left out: whose would they be? */
function rowsOf(observed: ReadonlyMap<string, Observed>): { own: Row[]; other: Row | null } {
  const busy = ({ sums, depth }: Observed) => (sums?.counts.slotMs ?? 0) + depth.queued + depth.active
  const sorted = [...observed].sort(([a, x], [b, y]) => busy(y) - busy(x) || (a < b ? -1 : 1))
  const own = sorted.slice(0, OWN_SERIES_MAX).map(([tenant, seen]) => rowOf(tenant, seen))
  const rest = sorted.slice(OWN_SERIES_MAX).map(([, seen]) => seen)
  const [first] = rest
  if (!first) return { own, other: null }
  const together: Observed = {
    sums: sumOf(rest.flatMap(({ sums }) => (sums ? [sums] : []))),
    seconds: Math.max(...rest.map(({ seconds }) => seconds)),
    objectives: first.objectives,
    depth: {
      queued: rest.reduce((sum, { depth }) => sum + depth.queued, 0),
      active: rest.reduce((sum, { depth }) => sum + depth.active, 0),
    },
  }
  return { own, other: rowOf('other', together) }
}

export function seriesOf(observed: ReadonlyMap<string, Observed>, tenants: number): Series[] {
  const { own, other } = rowsOf(observed)
  const all = other ? [...own, other] : own
  const each = (rows: readonly Row[], of: (row: Row) => [Record<string, string>, number | null][]) =>
    rows.flatMap((row) => of(row).map(([labels, value]) => ({ labels: { tenant: row.tenant, ...labels }, value })))
  const limits = ['startsPerMinute', 'concurrentRuns', 'maxQueued'] as const
  const window = `in the last ${WINDOW_MINUTES} minutes`
  return [
    gauge('partywall_tenants', 'Tenants', [{ value: tenants }]),
    gauge(
      'partywall_tenant_runs',
      `Runs that ended ${window}`,
      each(all, ({ report: { runs } }) => [
        [{ status: 'done' }, runs.done],
        [{ status: 'failed' }, runs.failed],
        [{ status: 'timed-out' }, runs.timedOut],
        [{ status: 'dead' }, runs.dead],
        [{ status: 'cancelled' }, runs.cancelled],
      ]),
    ),
    gauge(
      'partywall_tenant_refused',
      `Starts refused ${window}`,
      each(all, ({ report: { refused } }) => [
        [{ code: 'rate-limited' }, refused.rateLimited],
        [{ code: 'queue-full' }, refused.queueFull],
      ]),
    ),
    gauge(
      'partywall_tenant_response_seconds',
      `Queued to ended, runs of ${window}`,
      each(all, ({ report: { response } }) => [
        [{ quantile: '0.5' }, seconds(response.p50Ms)],
        [{ quantile: '0.99' }, seconds(response.p99Ms)],
        [{ quantile: '0.999' }, seconds(response.p999Ms)],
      ]),
    ),
    gauge(
      'partywall_tenant_slot_seconds_per_second',
      `Slots in use, mean ${window}`,
      each(all, (row) => [[{}, row.slotSecondsPerSecond]]),
    ),
    gauge(
      'partywall_tenant_queued',
      'Runs that wait',
      each(all, ({ queued }) => [[{}, queued]]),
    ),
    gauge(
      'partywall_tenant_active',
      'Runs in flight',
      each(all, ({ active }) => [[{}, active]]),
    ),
    gauge(
      'partywall_tenant_error_ratio',
      `Share of runs that did not end well ${window}`,
      each(own, (row) => [[{}, row.report.errorRatio]]),
    ),
    gauge(
      'partywall_tenant_at_limit_ratio',
      `Share of time at a limit ${window}`,
      each(own, ({ report }) => limits.map((limit) => [{ limit }, report.atLimit[limit]])),
    ),
    gauge(
      'partywall_tenant_at_its_limit',
      'Whether it is consistently at a limit',
      each(own, ({ report }) => [[{}, signalsOf(report).length > 0 ? 1 : 0]]),
    ),
    gauge(
      'partywall_tenant_budget_burn',
      `Failures by failures permitted ${window}`,
      each(own, ({ report: { budgetBurn } }) => [
        [{ objective: 'in-time' }, budgetBurn.inTime],
        [{ objective: 'success' }, budgetBurn.success],
      ]),
    ),
  ]
}

const seconds = (ms: number | null): number | null => (ms === null ? null : ms / 1000)
