// A crew without threads or sockets, on a clock that jumps to the next thing that is waited for: a whole run takes no time,
// and what the target does is a function of the run's time. Measures nothing.

import type { Operation } from '../../harness/load/ledger.ts'
import { scheduleTenants } from '../../harness/load/schedule.ts'
import type { Clock, Crew } from '../../harness/run/crew.ts'
import { type Instruments, sound } from '../../harness/run/instruments.ts'
import { emptyTally } from '../../harness/run/noise-crew.ts'
import type { Scenario } from '../../harness/scenario/schema.ts'
import type { Capability, Target, TenantAccess } from '../../harness/target/port.ts'
import { checkScanner } from '../../harness/tenants/scan-check.ts'
import { fakeProber } from './fake-prober.ts'

interface Waiter {
  atUs: number
  go(): void
}

/** Nobody waits in vain: when everything waits, it is the time of the earliest. */
export function jumpingClock(): Clock {
  let now = 0
  let pumping = false
  const waiters: Waiter[] = []
  const pump = () => {
    pumping = false
    waiters.sort((x, y) => x.atUs - y.atUs)
    const next = waiters.shift()
    if (!next) return
    now = Math.max(now, next.atUs)
    next.go()
    if (waiters.length > 0) schedule()
  }
  const schedule = () => {
    if (pumping) return
    pumping = true
    setImmediate(pump)
  }
  return {
    nowUs: () => now,
    wait: (ms, enough) =>
      new Promise((resolve) => {
        const waiter = { atUs: now + ms * 1000, go: resolve }
        waiters.push(waiter)
        enough?.addEventListener('abort', () => {
          if (waiters.includes(waiter)) waiters.splice(waiters.indexOf(waiter), 1)
          resolve()
        })
        schedule()
      }),
  }
}

export const access = (label: string): TenantAccess => ({
  label,
  id: label,
  origin: 'http://127.0.0.1:9',
  stepMs: 1,
  start: { method: 'POST', path: '/', headers: { 'x-tenant': label } },
  read: { method: 'GET', path: '/{id}', headers: { 'x-tenant': label } },
  list: { method: 'GET', path: '/', headers: { 'x-tenant': label } },
  completion: { by: 'response' },
})

export const never = <T>(): Promise<T> => new Promise<T>(() => {})

/** What became of a quiet operation that was due at this time: milliseconds that it took, or how it ended badly. */
export type Fate = number | 'failed' | 'unfinished'

export interface Play {
  fate?(intendedUs: number, tenant: number): Fate
  /** How late an operation was handed over, milliseconds. */
  sentLateMs?(intendedUs: number): number
  capabilities?: Capability[]
  backlog?(nowUs: number): Promise<number | null>
  reach?(nowUs: number): Promise<void>
  /** Called when a maker begins: a place to fail. */
  onNoise?(arm: 'placebo' | 'noise', times: number): void
  control?: Crew['control']
  failed?: Promise<never>
}

export const RUN_SEED = 5
/** A quiet operation every 4 ms, tenants in turns. */
const EVERY_US = 4000
const LOAD = { ratePerSecond: 62.5, shape: 'uniform' } as const
const QUIET = ['quiet-1', 'quiet-2', 'quiet-3', 'quiet-4']

export interface FakeCrew extends Crew {
  target: Target
  /** What was written, by file. */
  written: Map<string, string>
}

export function fakeCrew(play: Play = {}): FakeCrew {
  const clock = jumpingClock()
  const written = new Map<string, string>()
  const fateOf = play.fate ?? ((us: number) => 4 + ((us / EVERY_US) % 7))
  let noises = 0
  let handedOutUs = 0
  const tally = { placebo: emptyTally(), noise: emptyTally() }
  const ordered = { placebo: { api: 0, stream: 0 }, noise: { api: 0, stream: 0 } }
  const played = async (arm: 'placebo' | 'noise', lengthMs: number) => {
    play.onNoise?.(arm, ++noises)
    await clock.wait(lengthMs)
    return lengthMs
  }
  const noise: Crew['noise'] = {
    tally,
    ordered,
    planned: { api: 1000 },
    notApplicable: [],
    tryOut: async (arm) => void (await played(arm, 500)),
    teachSink: async () => {},
    take: () => [],
    async block(arm, { lengthMs }) {
      const count = await played(arm, lengthMs)
      ordered[arm].api += count
      tally[arm].apiSent += count
      tally[arm].apiAnswered += count
      tally[arm].cpuUs += 1000
      const before = tally[arm].makers.api ?? { ordered: 0, sent: 0, answered: 0, sinkSeen: 0 }
      tally[arm].makers.api = {
        ordered: before.ordered + count,
        sent: before.sent + count,
        answered: before.answered + count,
        refused: 0,
        errors: 0,
        sentLate: 0,
        lastSentUs: lengthMs * 1000,
        sinkSeen: arm === 'placebo' ? before.sinkSeen + count : 0,
        cpuUs: tally[arm].cpuUs,
      }
    },
  }
  const target: Target = {
    name: 'fake',
    capabilities: new Set(play.capabilities ?? ['backlog']),
    exited: never(),
    start: async () => {},
    provision: async (plan) => access(plan.label),
    remove: async () => {},
    backlog: async () => await (play.backlog ?? (async () => 0))(clock.nowUs()),
    reach: async () => await play.reach?.(clock.nowUs()),
    trips: async () => null,
    stop: async () => {},
  }
  const crew: FakeCrew = {
    ...clock,
    target,
    quiet: QUIET.map(access),
    noisy: access('noisy'),
    generator: {
      async collect(fromUs, toUs, withinMs) {
        const operations = operationsIn(fromUs, toUs, fateOf, play.sentLateMs ?? (() => 0))
        const latest = Math.max(0, ...operations.map(({ endUs }) => endUs))
        const patienceUs = clock.nowUs() + withinMs * 1000
        const until = operations.some(({ outcome }) => outcome === 'unfinished') ? patienceUs : latest
        const waitUs = Math.min(until, patienceUs) - clock.nowUs()
        if (waitUs > 0) await clock.wait(waitUs / 1000)
        const now = clock.nowUs()
        for (const op of operations) {
          if (op.outcome === 'ok' && op.endUs > now) op.outcome = 'unfinished'
          if (op.outcome === 'unfinished') op.endUs = now
        }
        // Each is handed out once, to whoever comes first.
        const mine = operations.filter(({ intendedUs }) => intendedUs >= handedOutUs)
        handedOutUs = Math.max(handedOutUs, toUs)
        const heard = QUIET.map(() => 10)
        return {
          type: 'collected',
          request: 0,
          operations: packed(mine),
          hiccups: { samples: 100, maxUs: 100, p99Us: 100 },
          sightings: [],
          ownCanaries: heard,
          received: heard,
          runIds: QUIET.map(() => []),
          sampled: [],
          problems: [],
          thrown: { times: 0, first: '' },
        }
      },
    },
    noise,
    prober: fakeProber(() => crew),
    inspected: inspectedBy(sound),
    control: play.control ?? { take: async () => ({ samples: 100, maxUs: 100, p99Us: 100 }) },
    folder: { append: (name, text) => void written.set(name, (written.get(name) ?? '') + text) },
    operationTimeoutMs: 10_000,
    failed: play.failed ?? never(),
    labelOf: (owner) => [...QUIET, 'noisy'][owner] ?? 'unknown',
    written,
  }
  return crew
}

/** As a crew of these instruments has them; the threads' own are always sound. */
export function inspectedBy(instruments: Instruments): Crew['inspected'] {
  const [canaries, their] = [instruments.canaries('key of this test'), sound.canaries('key of this test')]
  return {
    canaries,
    scanner: instruments.scanner(canaries),
    labelOf: instruments.owners([...QUIET, 'noisy']),
    scans: [checkScanner('the generator', sound.scanner(their), their)],
    minted: QUIET.map((_, owner) => their.mintFor(owner).mint()),
  }
}

function operationsIn(
  fromUs: number,
  toUs: number,
  fateOf: (us: number, tenant: number) => Fate,
  lateMsOf: (us: number) => number,
): Operation[] {
  const operations: Operation[] = []
  const arrivals = scheduleTenants(
    RUN_SEED,
    QUIET.map(() => LOAD),
  )
  let number = 0
  for (const { tenant, intendedUs } of arrivals) {
    const seq = number++
    if (intendedUs < fromUs) continue
    if (intendedUs >= toUs) break
    const fate = fateOf(intendedUs, tenant)
    const tookUs = typeof fate === 'number' ? fate * 1000 : 0
    const outcome = typeof fate === 'number' ? 'ok' : fate
    operations.push({
      tenant,
      seq,
      intendedUs,
      handedUs: intendedUs + lateMsOf(intendedUs) * 1000,
      endUs: intendedUs + tookUs,
      outcome,
    })
  }
  return operations
}

/** As the generator's ledger hands them out. */
export function packed(operations: readonly Operation[]): Float64Array<ArrayBuffer> {
  const outcomes = ['ok', 'failed', 'unfinished']
  return Float64Array.from(
    operations.flatMap(({ tenant, seq, intendedUs, handedUs, endUs, outcome }) => {
      return [tenant, seq, intendedUs, handedUs ?? Number.NaN, endUs, outcomes.indexOf(outcome)]
    }),
  )
}

export const scenario: Scenario = {
  scenario: 'fake',
  question: 'Does it end as it should?',
  tenants: [
    {
      role: 'quiet',
      count: 4,
      arrivalsPerSecond: LOAD.ratePerSecond,
      schedule: LOAD.shape,
      stepMs: 1,
      limits: { startsPerMinute: 60_000, concurrentRuns: 64, maxRunMs: 5000, maxQueued: 2000 },
    },
    {
      role: 'noisy',
      count: 1,
      stepMs: 1,
      limits: { startsPerMinute: 60, concurrentRuns: 2, maxRunMs: 5000, maxQueued: 20 },
    },
  ],
  noise: { api: { requestsPerSecond: 1000, connections: 10 }, stream: { entriesPerSecond: 0 } },
  blocks: { pairs: 4, lengthMs: 1000, settleMs: 200, silence: 1, warmUpMs: 2000 },
  objectives: { p99Ms: 250, successRatio: 0.99, interferenceRatio: 2, interferenceFloorMs: 0 },
}
