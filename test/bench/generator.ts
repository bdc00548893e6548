// The generator against a bare server in a process of its own: does it send what the schedule says, when it says so, and
// what does a request cost it. Beside it, on the same server, autocannon and wrk, which are closed loops: they send when they
// were answered, so that only their cost can be compared.

import { fork, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import autocannon from 'autocannon'
import { type Operation, unpack } from '../../harness/load/ledger.ts'
import { scheduleTenants } from '../../harness/load/schedule.ts'
import type { Load } from '../../harness/load/shapes.ts'
import { startGenerator } from '../../harness/run/threads.ts'
import type { Listening } from './bare-server.ts'
import { type Bench, type Figure, figure } from './figures.ts'

const ROUNDS = Number(process.env.ROUNDS ?? 3)
const SECONDS = Number(process.env.SECONDS ?? 3)
/** One stretch of each rate, in which what was sent must be what was scheduled, to the last arrival. */
const LONG_SECONDS = Number(process.env.LONG_SECONDS ?? 30)
const RATES = [200, 1000, 2000, 5000, 10_000]
const TENANTS = 4
const WARM_UP_US = 1e6
const CONNECTIONS = 10
/** Not one of the project's own; used where it happens to be. */
const WRK = 'wrk'

interface Round {
  /** Arrivals that the schedule has, and those of them that were sent. */
  scheduled: number
  sent: number
  worstSecondPercent: number
  /** Seconds in which what was sent is within 1 % of what was due in them, of so many. */
  secondsWithin: number
  lateMs: { p50: number; p99: number; p999: number }
  perCoreSecond: number
}

async function ours(origin: string, rate: number, runSeed: number, seconds = SECONDS): Promise<Round> {
  const endUs = WARM_UP_US + seconds * 1e6
  const loads = Array.from({ length: TENANTS }, (): Load => ({ ratePerSecond: rate / TENANTS, shape: 'poisson' }))
  const tenants = loads.map((_, i) => ({
    label: `quiet-${i + 1}`,
    id: `q${i}`,
    origin,
    stepMs: 0,
    start: { method: 'GET' as const, path: '/', headers: {} },
    completion: { by: 'response' as const },
  }))
  const generator = await startGenerator(
    { tenants, loads, runSeed, operationTimeoutMs: 10_000, canaryKey: 'bench' },
    5000,
  )
  const zeroNs = process.hrtime.bigint()
  const until = (us: number) =>
    new Promise((resolve) => setTimeout(resolve, us / 1000 - Number(process.hrtime.bigint() - zeroNs) / 1e6))
  try {
    generator.begin(zeroNs)
    await until(WARM_UP_US)
    const before = await generator.collect(0, WARM_UP_US, 5000)
    await until(endUs)
    const { operations, vitals } = await generator.collect(WARM_UP_US, endUs, 5000)
    const due = dueBySecond(runSeed, loads, seconds)
    return roundOf(unpack(before.operations), unpack(operations), due, vitals?.cpuUs ?? Number.NaN)
  } finally {
    await generator.stop()
  }
}

/** Arrivals of each measured second, from the schedule alone. */
function dueBySecond(runSeed: number, loads: readonly Load[], seconds: number): number[] {
  const due = Array.from({ length: seconds }, () => 0)
  for (const { intendedUs } of scheduleTenants(runSeed, loads)) {
    if (intendedUs >= WARM_UP_US + seconds * 1e6) break
    const second = Math.floor((intendedUs - WARM_UP_US) / 1e6)
    if (second >= 0) due[second] = (due[second] ?? 0) + 1
  }
  return due
}

/** @param before of the warm-up: what was due in it and left later counts to the second in which it left */
function roundOf(
  before: readonly Operation[],
  operations: readonly Operation[],
  due: readonly number[],
  cpuUs: number,
): Round {
  const handed = [...before, ...operations].flatMap(({ handedUs }) => handedUs ?? [])
  const deviations = due.map((wanted, second) => {
    const from = WARM_UP_US + second * 1e6
    const sent = handed.filter((us) => us >= from && us < from + 1e6).length
    return (Math.abs(sent - wanted) / wanted) * 100
  })
  const late = operations
    .map(({ intendedUs, handedUs }) => ((handedUs ?? Number.POSITIVE_INFINITY) - intendedUs) / 1000)
    .sort((x, y) => x - y)
  const at = (q: number) => late[Math.max(0, Math.ceil(late.length * q) - 1)] ?? Number.NaN
  return {
    scheduled: due.reduce((sum, n) => sum + n, 0),
    sent: operations.filter(({ handedUs }) => handedUs !== null).length,
    worstSecondPercent: Math.max(...deviations),
    secondsWithin: deviations.filter((percent) => percent <= 1).length,
    lateMs: { p50: at(0.5), p99: at(0.99), p999: at(0.999) },
    perCoreSecond: (operations.length / cpuUs) * 1e6,
  }
}

/** Requests a second of CPU, in this thread. */
async function byAutocannon(url: string): Promise<number> {
  const before = process.threadCpuUsage()
  const { requests } = await autocannon({ url, connections: CONNECTIONS, duration: SECONDS })
  const { user, system } = process.threadCpuUsage(before)
  return (requests.total / (user + system)) * 1e6
}

/** Requests a second of CPU; null where wrk is not installed. */
function byWrk(url: string): number | null {
  if (spawnSync(WRK, ['--version']).error) return null
  // The shell tells what its children took: `times` prints user and system of them in its second line.
  const { stdout } = spawnSync('sh', ['-c', `${WRK} -t1 -c${CONNECTIONS} -d${SECONDS}s ${url}; times`], {
    encoding: 'utf8',
  })
  const requests = Number(/(\d+) requests in/.exec(stdout)?.[1])
  const [user, system] = [...(stdout.trim().split('\n').at(-1) ?? '').matchAll(/(\d+)m([\d.]+)s/g)].map(
    ([, minutes, seconds]) => Number(minutes) * 60 + Number(seconds),
  )
  return requests / ((user ?? Number.NaN) + (system ?? Number.NaN))
}

export const generatorBench: Bench = {
  name: 'generator',
  what: 'sent against schedule, send lateness and requests a second of CPU, beside autocannon and wrk',
  async run(say) {
    const server = fork(new URL('./bare-server.ts', import.meta.url))
    try {
      const [listening] = await once(server, 'message')
      const { port } = listening as Listening
      return await measure(`http://127.0.0.1:${port}`, say)
    } finally {
      const gone = once(server, 'exit')
      server.kill()
      await gone
    }
  },
}

async function measure(origin: string, say: (line: string) => void): Promise<Figure[]> {
  const long = new Map<number, Round>()
  for (const rate of RATES) {
    const found = await ours(origin, rate, 0, LONG_SECONDS)
    long.set(rate, found)
    say(`${LONG_SECONDS} s: ${words(rate, found)}`)
  }
  const rounds = new Map<number, Round[]>(RATES.map((rate) => [rate, []]))
  const cannon: number[] = []
  const wrk: number[] = []
  for (let round = 1; round <= ROUNDS; round++) {
    for (const [rate, list] of rounds) {
      const found = await ours(origin, rate, round)
      list.push(found)
      say(`round ${round} of ${ROUNDS}: ${words(rate, found)}`)
    }
    cannon.push(await byAutocannon(origin))
    const other = byWrk(origin)
    if (other !== null) wrk.push(other)
  }
  const isThere = wrk.length > 0
  if (!isThere) say('wrk: not installed')
  const cost = (list: readonly Round[]) => list.map(({ perCoreSecond }) => perCoreSecond)
  const unit = 'requests/s of one core'
  const most = rounds.get(RATES.at(-1) ?? 0) ?? []
  return [
    ...[...long].flatMap(([rate, found]) => longFigures(rate, found)),
    ...[...rounds].flatMap(([rate, list]) => figuresOf(rate, list)),
    figure('cost at the highest rate, beside autocannon', unit, cost(most), cannon),
    figure(`cost at the highest rate, beside wrk${isThere ? '' : ' (not installed)'}`, unit, cost(most), wrk),
  ]
}

function words(rate: number, { scheduled, sent, worstSecondPercent, lateMs }: Round): string {
  const late = [lateMs.p50, lateMs.p99, lateMs.p999].map((ms) => ms.toFixed(2)).join(' / ')
  const seconds = `worst second ${worstSecondPercent.toFixed(2)} % apart`
  return `${rate}/s: ${sent} of ${scheduled} sent, ${seconds}, late p50 / p99 / p99.9 ${late} ms`
}

/** Of the long stretch: what was sent beside what was scheduled, so that the ratio is 1 when they are equal. */
function longFigures(rate: number, { scheduled, sent, worstSecondPercent, secondsWithin }: Round): Figure[] {
  const at = `at ${rate.toLocaleString('en')}/s in ${LONG_SECONDS} s`
  return [
    figure(`sent; peer: scheduled; ${scheduled - sent} apart ${at}`, 'arrivals', [sent], [scheduled]),
    figure(`sent against schedule, worst second ${at}`, '% apart', [worstSecondPercent]),
    figure(`seconds within 1 % ${at}`, `of ${LONG_SECONDS}`, [secondsWithin]),
  ]
}

function figuresOf(rate: number, rounds: readonly Round[]): Figure[] {
  const of = (pick: (round: Round) => number) => rounds.map(pick)
  const at = `at ${rate.toLocaleString('en')}/s`
  return [
    figure(
      `scheduled and not sent ${at} in ${SECONDS} s`,
      `of about ${rate * SECONDS}`,
      of(({ scheduled, sent }) => scheduled - sent),
    ),
    figure(
      `sent against schedule, worst second ${at}`,
      '% apart',
      of(({ worstSecondPercent: worst }) => worst),
    ),
    figure(
      `send lateness p50 ${at}`,
      'ms',
      of(({ lateMs }) => lateMs.p50),
    ),
    figure(
      `send lateness p99 ${at}`,
      'ms',
      of(({ lateMs }) => lateMs.p99),
    ),
    figure(
      `send lateness p99.9 ${at}`,
      'ms',
      of(({ lateMs }) => lateMs.p999),
    ),
    figure(
      `cost ${at}`,
      'requests/s of one core',
      of(({ perCoreSecond }) => perCoreSecond),
    ),
  ]
}
