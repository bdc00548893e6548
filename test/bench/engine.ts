// The engine's queue beside BullMQ, on the same Redis, in alternating rounds: runs a second of one worker process, what
// they cost Redis, what idle tenants add to it, what a hog does to its neighbours. BullMQ has no turns between tenants.

import { type Stage, startNode, startStage } from '../engine/stage.ts'
import { bull, bullCalls, type Drain, idleShare, makeIdle, ourCalls, ours } from './drains.ts'
import { type Bench, type Figure, figure } from './figures.ts'
import { bullWait, ourWait } from './hog.ts'
import type { RedisCost } from './redis-cost.ts'

const ROUNDS = Number(process.env.ROUNDS ?? 5)
const IDLE_ROUNDS = Math.min(ROUNDS, 3)
const RUNS = 20_000
const COUNTED_RUNS = 10_000
const IDLE_RUNS = 10_000
const IDLE_TENANTS = 10
const LEVELS = [1000, 10_000, 100_000] as const
const SHARE_MS = 1500

type Say = (line: string) => void

export const engineBench: Bench = {
  name: 'engine',
  what: 'the queue beside BullMQ: runs a second, Redis CPU and calls a run, idle tenants, a hog',
  async run(say) {
    const stage = await startStage()
    try {
      await ours(stage, { tenants: 1, runs: 2000 })
      await bull(stage, 2000)
      return [...(await drains(stage, say)), ...(await hog(stage, say)), ...(await idleTenants(stage, say))]
    } finally {
      await stage.stop()
    }
  },
}

const perSecond = (list: readonly Drain[]) => list.map(({ runs, drain }) => (runs / drain.ms) * 1000)
const cpuPerRun = (list: readonly Drain[], cost: (drain: Drain) => RedisCost) =>
  list.map((drain) => cost(drain).cpuUs / drain.runs)
const filling = ({ fill }: Drain) => fill
const draining = ({ drain }: Drain) => drain

async function drains(stage: Stage, say: Say): Promise<Figure[]> {
  const one: Drain[] = []
  const many: Drain[] = []
  const peer: Drain[] = []
  const calls: Record<'one' | 'many' | 'peer', number[]> = { one: [], many: [], peer: [] }
  for (let round = 1; round <= ROUNDS; round++) {
    one.push(await ours(stage, { tenants: 1, runs: RUNS }))
    peer.push(await bull(stage, RUNS))
    many.push(await ours(stage, { tenants: 100, runs: RUNS }))
    const last = [one, many, peer].map((list) => Math.round(perSecond(list).at(-1) ?? 0))
    say(`round ${round} of ${ROUNDS}: runs/s: one tenant ${last[0]}, 100 tenants ${last[1]}, BullMQ ${last[2]}`)
  }
  // Rounds of their own: tracing what is sent costs time.
  for (let round = 1; round <= Math.min(ROUNDS, 2); round++) {
    calls.one.push(await ourCalls(stage, { tenants: 1, runs: COUNTED_RUNS }))
    calls.many.push(await ourCalls(stage, { tenants: 100, runs: COUNTED_RUNS }))
    calls.peer.push(await bullCalls(stage, COUNTED_RUNS))
  }
  const peerCpu = cpuPerRun(peer, draining)
  return [
    figure('drain, one tenant', 'runs/s', perSecond(one), perSecond(peer)),
    figure('drain, 100 tenants', 'runs/s', perSecond(many), perSecond(peer)),
    figure('Redis CPU to drain, one tenant', 'µs/run', cpuPerRun(one, draining), peerCpu),
    figure('Redis CPU to drain, 100 tenants', 'µs/run', cpuPerRun(many, draining), peerCpu),
    figure('Redis CPU to add', 'µs/run', cpuPerRun(one, filling), cpuPerRun(peer, filling)),
    figure('calls to drain, one tenant', 'calls/run', calls.one, calls.peer),
    figure('calls to drain, 100 tenants', 'calls/run', calls.many, calls.peer),
  ]
}

async function hog(stage: Stage, say: Say): Promise<Figure[]> {
  const [own, ownAlone, peer, peerAlone]: [number[], number[], number[], number[]] = [[], [], [], []]
  for (let round = 1; round <= IDLE_ROUNDS; round++) {
    ownAlone.push(await ourWait(stage, 'without'))
    peerAlone.push(await bullWait(stage, 'without'))
    own.push(await ourWait(stage, 'with a hog'))
    peer.push(await bullWait(stage, 'with a hog'))
    const last = [ownAlone, own, peerAlone, peer].map((list) => list.at(-1)?.toFixed(1))
    say(`hog, round ${round} of ${IDLE_ROUNDS}: ms: ${last[0]}, beside a hog ${last[1]}; BullMQ ${last[2]}, ${last[3]}`)
  }
  const ratios = (list: number[], alone: number[]) => list.map((ms, i) => ms / (alone[i] ?? Number.NaN))
  return [
    figure('small tenants wait, p99, alone', 'ms', ownAlone, peerAlone),
    figure('small tenants wait, p99, beside a hog', 'ms', own, peer),
    figure('beside a hog over alone', 'times', ratios(own, ownAlone), ratios(peer, peerAlone)),
  ]
}

/** Each number of idle tenants beside none of them, where a peer has its column. */
async function idleTenants(stage: Stage, say: Say): Promise<Figure[]> {
  const from = performance.now()
  const maker = await startNode(stage, { namespace: 'bench-idle' })
  const all = await makeIdle(maker, Math.max(...LEVELS), 'idle')
  await maker.stop()
  const took = ((performance.now() - from) / 1000).toFixed(0)
  say(`${all.length} idle tenants made in ${took} s, each with limits, a stream, a group and a definition`)
  const levels = [0, ...LEVELS].map((count) => {
    return { count, drains: [] as Drain[], calls: [] as number[], shares: [] as number[] }
  })
  for (let round = 1; round <= IDLE_ROUNDS; round++) {
    for (const at of levels.keys()) {
      // Another one first in each round: what the one before it left behind is no level's own.
      const level = levels[(at + round) % levels.length]
      if (!level) continue
      const idle = all.slice(0, level.count)
      level.drains.push(await ours(stage, { tenants: IDLE_TENANTS, runs: IDLE_RUNS, idle }))
      level.calls.push(await ourCalls(stage, { tenants: IDLE_TENANTS, runs: IDLE_RUNS, idle }))
      if (round === 1) level.shares.push(100 * (await idleShare(stage, idle, SHARE_MS)))
    }
    const last = levels.map(({ count, drains }) => `${count}: ${cpuPerRun(drains, draining).at(-1)?.toFixed(1)}`)
    say(`idle tenants, round ${round} of ${IDLE_ROUNDS}: Redis µs/run: ${last.join(', ')}`)
  }
  const [none, ...some] = levels
  if (!none) return []
  const cpu = ({ drains }: (typeof levels)[number]) => cpuPerRun(drains, draining)
  const named = (count: number) => `${count.toLocaleString('en')} idle tenants (peer: none)`
  return some.flatMap((level) => [
    figure(`calls to drain, ${named(level.count)}`, 'calls/run', level.calls, none.calls),
    figure(`Redis CPU to drain, ${named(level.count)}`, 'µs/run', cpu(level), cpu(none)),
    figure(`audit with nothing to run, ${named(level.count)}`, '% of core', level.shares, none.shares),
  ])
}
