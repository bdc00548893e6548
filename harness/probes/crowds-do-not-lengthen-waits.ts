// Promise: a sparse tenant waits in the order of one run beside 1, 4 or 16 tenants that have work waiting: no more beside
// many than beside one. The finding's observations are the curve, whatever it says.

import type { Observation } from '../evidence/types.ts'
import { type ActProbe, ActSeen, findings, median } from './act-probe.ts'
import { backlogged } from './slot-time.ts'

const name = 'crowds-do-not-lengthen-waits'
const { held, broken, inconclusive } = findings(name)
/** In runs of the sparse tenant's own length. */
const HELD_AT_MOST = 4
const BROKEN_FROM = 10
/** Of what those that had the work waiting waited themselves: a machine that stalls makes all wait. */
const BROKEN_SHARE = 0.3
const MIN_RUNS = 8

interface Point {
  size: number
  asked: number
  done: number
  waitMs: number
  slowMs: number
  theirsMs: number
  fromMs: number
  runMs: number
}

/** What the sparse tenant waited while the tenants beside it had, all together, work waiting. */
function pointOf(seen: ActSeen, size: number): Point {
  const noisy = [...seen.tenants.keys()].filter((tenant) => tenant.endsWith(`-of-${size}`))
  const theirs = noisy.flatMap((tenant) => seen.runs(tenant))
  const { fromMs, toMs } = backlogged(theirs, seen.lastMs())
  const sparse = seen.runs(`beside-${size}`).filter(({ queuedMs }) => queuedMs >= fromMs && queuedMs <= toMs)
  const waits = (runs: typeof theirs) => runs.map((run) => (run.startedMs ?? seen.lastMs()) - run.queuedMs)
  const sorted = waits(sparse).sort((x, y) => x - y)
  return {
    size,
    asked: sparse.length,
    done: sparse.filter(({ status }) => status === 'done').length,
    waitMs: median(sorted) ?? 0,
    slowMs: sorted[Math.floor(0.9 * sorted.length)] ?? 0,
    theirsMs: median(waits(theirs)) ?? 0,
    fromMs,
    runMs: seen.tenants.get(`beside-${size}`)?.declaredMs.work ?? 0,
  }
}

function sawPoint(point: Point, zeroMs: number): Observation {
  const { size, waitMs, slowMs, theirsMs, asked, fromMs } = point
  const own = `waited ${Math.round(waitMs)} ms in the median, ${Math.round(slowMs)} ms in nine of ten, over ${asked} runs`
  const what = `beside ${size}: ${own}; those beside it ${Math.round(theirsMs)} ms`
  return { atUs: Math.max(0, Math.round((fromMs - zeroMs) * 1000)), arm: 'other', what }
}

export const crowdsDoNotLengthenWaits: ActProbe = {
  name,
  promise: 'a sparse tenant waits in the order of one run, beside one busy tenant and beside sixteen',
  act: 'crowd',
  catalogue: ['E02'],
  judge(lines) {
    const seen = new ActSeen(lines)
    const sizes = [...seen.tenants.keys()].flatMap((tenant) => /^beside-(\d+)$/.exec(tenant)?.[1] ?? []).map(Number)
    const points = sizes.sort((x, y) => x - y).map((size) => pointOf(seen, size))
    const counts = {
      opportunities: points.reduce((sum, { asked }) => sum + asked, 0),
      controls: points.reduce((sum, { done }) => sum + done, 0),
    }
    const who = (of: readonly Point[]) => of.map(({ size }) => `beside-${size}`)
    const curve = points.map((point) => sawPoint(point, Math.min(...points.map(({ fromMs }) => fromMs))))
    const told = `waits of ${points.map(({ size, waitMs }) => `${Math.round(waitMs)} ms beside ${size}`).join(', ')}; a run takes ${points[0]?.runMs ?? 0} ms`
    const guilty = points.filter(({ asked, waitMs, theirsMs, runMs }) => {
      return asked >= MIN_RUNS && waitMs > BROKEN_FROM * runMs && waitMs > BROKEN_SHARE * theirsMs
    })
    if (guilty.length > 0) return broken(counts, who(guilty), told, curve)
    const idle = points.filter(({ asked, theirsMs, runMs }) => asked < MIN_RUNS || theirsMs < BROKEN_FROM * runMs)
    if (points.length < 2 || idle.length > 0)
      return inconclusive(counts, who(idle), `there was no backlog to speak of: ${told}`, curve)
    const weak = points.filter(({ waitMs, runMs, asked, done }) => waitMs > HELD_AT_MOST * runMs || done < asked)
    return weak.length > 0 ? inconclusive(counts, who(weak), told, curve) : held(counts, who(points), told, curve)
  },
}
