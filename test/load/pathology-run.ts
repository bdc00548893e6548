// One round against servers that misbehave: the server process, and our generator, whole, with each pathology as a tenant
// whose arrivals go to that server's port. Gives what was recorded and what the truth is; refuses to compare them.

import { fork } from 'node:child_process'
import { once } from 'node:events'
import type { Shape } from '../../harness/evidence/run.ts'
import { type Operation, type OperationOutcome, unpack } from '../../harness/load/ledger.ts'
import type { Load } from '../../harness/load/shapes.ts'
import { Counts } from '../../harness/recording/counts.ts'
import type { HiccupTally } from '../../harness/recording/hiccup.ts'
import { logHead, logLine, readLog } from '../../harness/recording/interval-log.ts'
import { startGenerator } from '../../harness/run/threads.ts'
import { answersOf, type Pathology, type PathologyName, pathologyOf } from './pathologies.ts'
import type { FromPathologyServer, ToPathologyServer } from './pathology-server.ts'
import { intendedStarts, truthOf } from './truth.ts'

export interface PathologyServers {
  /** In the order of the names. */
  origins: string[]
  /** Answers some requests, so that its code is compiled when somebody measures; counted nowhere. */
  warmUp(): Promise<void>
  /** Without it each server's zero is its first request. */
  begin(zeroNs: bigint): void
  /** How the machine held the process up since it was asked before, and what all servers together left unanswered. */
  heldUp(): Promise<{ heldUp: HiccupTally; unanswered: number }>
  stop(): Promise<void>
}

export async function startPathologies(
  names: readonly PathologyName[],
  ratePerSecond: number,
  windowUs: number,
): Promise<PathologyServers> {
  // Advanced serialization, since the zero is a bigint.
  const child = fork(new URL('./pathology-server.ts', import.meta.url), { serialization: 'advanced' })
  const say = (message: ToPathologyServer) => child.send(message)
  const ended = once(child, 'exit').then(([code]) => {
    throw new Error(`the pathology server ended by itself, with exit code ${code}`)
  })
  ended.catch(() => {}) // told by whoever waits for an answer
  const answer = async (): Promise<FromPathologyServer> => {
    const [message] = await Promise.race([once(child, 'message'), ended])
    return message
  }
  const healthyOne: Pathology = { kind: 'stall', atUs: 0, forUs: 0, everyUs: null }
  say({ serve: [...names.map((name) => pathologyOf(name, ratePerSecond, windowUs)), healthyOne] })
  const listening = await answer()
  if (!('ports' in listening)) throw new Error('the pathology server told no ports')
  const all = listening.ports.map((port) => `http://127.0.0.1:${port}`)
  const [origins, healthy = ''] = [all.slice(0, -1), all.at(-1)]
  return {
    origins,
    warmUp: async () => {
      for (let i = 0; i < 100; i++) {
        await Promise.all(Array.from({ length: 20 }, async () => await (await fetch(healthy)).text()))
      }
    },
    begin: (zeroNs) => say({ zeroNs }),
    heldUp: async () => {
      const told = answer()
      say('held up?')
      const tally = await told
      if (!('heldUp' in tally)) throw new Error('the pathology server did not tell how it fared')
      return tally
    },
    stop: async () => {
      const gone = once(child, 'exit')
      child.kill()
      await gone
    },
  }
}

export interface Round {
  names: readonly PathologyName[]
  /** Of each pathology. */
  ratePerSecond: number
  shape: Shape
  windowMs: number
  /** Before the window: code that runs for the first time is slow, ours and the servers'. */
  warmUpMs: number
  runSeed: number
  /** After so long an operation is given up, as unfinished. */
  timeoutMs: number
}

export interface Measured {
  name: PathologyName
  /** Response times, microseconds, ascending. */
  truthUs: number[]
  /** What was recorded, with what did not end well as infinite, as the verdict takes it. */
  recordedUs: Counts
  outcomes: Record<OperationOutcome, number>
  /** The least time for which an unfinished one was waited, microseconds; null when all ended. */
  leastWaitedUs: number | null
  /** Handed over to the connections after the intended start, microseconds. */
  latenessUs: Counts
}

export interface Sent {
  measured: Measured[]
  /** How the machine held up the generator's thread and the server's process. */
  heldUp: { generator: HiccupTally; server: HiccupTally }
  /** Requests that came to the servers and were never answered, as the servers counted them. */
  unanswered: number
}

export async function sendRound({ names, ratePerSecond, shape, ...times }: Round): Promise<Sent> {
  const { windowMs, warmUpMs, runSeed, timeoutMs } = times
  const [windowUs, warmUpUs] = [windowMs * 1000, warmUpMs * 1000]
  const loads = names.map((): Load => ({ ratePerSecond, shape }))
  const servers = await startPathologies(names, ratePerSecond, windowUs)
  try {
    const tenants = names.map((label, i) => ({
      label,
      id: `q${i}`,
      origin: servers.origins[i] ?? '',
      stepMs: 0,
      start: { method: 'GET' as const, path: '/', headers: {} },
      completion: { by: 'response' as const },
    }))
    const plan = { tenants, loads, runSeed, operationTimeoutMs: timeoutMs, canaryKey: 'pathology' }
    const generator = await startGenerator(plan, 5000)
    try {
      const zeroNs = process.hrtime.bigint()
      const until = (us: number) =>
        new Promise((resolve) => setTimeout(resolve, us / 1000 - Number(process.hrtime.bigint() - zeroNs) / 1e6))
      servers.begin(zeroNs + BigInt(warmUpUs) * 1000n)
      generator.begin(zeroNs)
      await until(warmUpUs)
      await Promise.all([generator.collect(0, warmUpUs, timeoutMs), servers.heldUp()])
      await until(warmUpUs + windowUs)
      // What is never answered is given up by the operation's timeout, never by the collection.
      const { operations, hiccups } = await generator.collect(warmUpUs, warmUpUs + windowUs, timeoutMs + 1000)
      const { heldUp, unanswered } = await servers.heldUp()
      const all = unpack(operations)
      const starts = intendedStarts(runSeed, loads, { warmUpUs, windowUs })
      const measured = names.map((name, tenant) => {
        const own = all.filter((operation) => operation.tenant === tenant)
        const truthUs = truthOf(answersOf(pathologyOf(name, ratePerSecond, windowUs)), starts[tenant] ?? [])
        return { name, truthUs, ...recorded(own) }
      })
      return { measured, heldUp: { generator: hiccups, server: heldUp }, unanswered }
    } finally {
      await generator.stop()
    }
  } finally {
    await servers.stop()
  }
}

/** Through the run's own histograms, written and read back, so that their 3 digits are in what is compared. */
function recorded(operations: readonly Operation[]): Omit<Measured, 'name' | 'truthUs'> {
  const of = (outcome: OperationOutcome) => operations.filter((operation) => operation.outcome === outcome)
  const responses = ({ intendedUs, endUs }: Operation) => endUs - intendedUs
  const lateness = operations.flatMap(({ intendedUs, handedUs }) => (handedUs === null ? [] : [handedUs - intendedUs]))
  const outcomes = { ok: of('ok').length, failed: of('failed').length, unfinished: of('unfinished').length }
  const without = outcomes.failed + outcomes.unfinished
  const infinite = Counts.of(without === 0 ? [] : [[Number.POSITIVE_INFINITY, without]])
  const waited = of('unfinished').map(responses)
  return {
    recordedUs: Counts.sum([countsOf(of('ok').map(responses)), infinite]),
    outcomes,
    leastWaitedUs: waited.length === 0 ? null : Math.min(...waited),
    latenessUs: countsOf(lateness),
  }
}

function countsOf(valuesUs: readonly number[]): Counts {
  const interval = { tenant: 'q', arm: 'silence', block: 0, kind: 'response' as const, startUs: 0, endUs: 1 }
  return readLog(logHead(0) + logLine(interval, valuesUs)).get('q/silence/0/response') ?? Counts.of([])
}
