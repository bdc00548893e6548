// What load tools report of servers that misbehave, beside the analytic truth: ours and its peers, the same servers, one
// tool after the other. A peer that is not on PATH is named as absent. Refuses to say who is right: the truth is in the table.

import { type PathologyName, pathologyNames } from '../load/pathologies.ts'
import { sendRound, startPathologies } from '../load/pathology-run.ts'
import { quantilesFor, rankAt, toleranceMs } from '../load/truth.ts'
import type { Bench } from './figures.ts'
import { autocannon } from './peers/autocannon.ts'
import { hey } from './peers/hey.ts'
import { k6 } from './peers/k6.ts'
import { type Peer, QUANTILES, type Reported } from './peers/peer.ts'
import { boundVegeta, vegeta } from './peers/vegeta.ts'
import { wrk } from './peers/wrk.ts'

const SECONDS = Number(process.env.SECONDS ?? 20)
const RUN_SEED = 31
const WARM_UP_MS = 2000
const TIMEOUT_SECONDS = 5
const RATES = [100, 1000] as const
/** Pathologies at the same time: as many as the machine bears without their disturbing each other. */
const AT_ONCE: Record<(typeof RATES)[number], number> = { 100: 6, 1000: 2 }
const peers: readonly Peer[] = [autocannon, wrk, hey, k6, vegeta, boundVegeta]

interface Cell extends Reported {
  who: string
  pathology: PathologyName
  ratePerSecond: number
}

type Say = (line: string) => void

export const pathologyBench: Bench = {
  name: 'pathology',
  what: 'percentiles of servers that misbehave: the truth, ours, autocannon -R, wrk, hey, k6, vegeta',
  async tabulate(say) {
    const here = peers.filter((peer) => peer.isHere())
    for (const { name } of peers.filter((peer) => !here.includes(peer))) say(`${name}: not on PATH`)
    const cells: Cell[] = []
    for (const rate of RATES) {
      for (const names of chunks(pathologyNames, AT_ONCE[rate])) cells.push(...(await ours(names, rate, say)))
      for (const peer of here) {
        const size = peer.loop === 'closed' ? 1 : AT_ONCE[rate]
        for (const names of chunks(pathologyNames, size)) cells.push(...(await theirs(peer, names, rate, say)))
      }
    }
    for (const who of ['partywall', ...here.map(({ name }) => name)]) say(farOff(who, cells))
    return { rows: rowsOf(cells), json: { seconds: SECONDS, timeoutSeconds: TIMEOUT_SECONDS, cells } }
  },
}

function chunks<T>(list: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(list.length / size) }, (_, i) => list.slice(i * size, (i + 1) * size))
}

/** The arrivals are uniform, as those of the peers that have an open model: one truth is then everybody's. */
async function ours(names: readonly PathologyName[], ratePerSecond: number, say: Say): Promise<Cell[]> {
  const round = { names, ratePerSecond, shape: 'uniform' as const, windowMs: SECONDS * 1000, runSeed: RUN_SEED }
  const { measured, heldUp } = await sendRound({ ...round, warmUpMs: WARM_UP_MS, timeoutMs: TIMEOUT_SECONDS * 1000 })
  say(
    `partywall at ${ratePerSecond}/s: held up at p99: generator ${heldUp.generator.p99Us} us, servers ${heldUp.server.p99Us} us`,
  )
  return measured.flatMap(({ name, truthUs, recordedUs, outcomes }) => {
    const about = { pathology: name, ratePerSecond, n: truthUs.length }
    const never = truthUs.filter((us) => us === Number.POSITIVE_INFINITY).length
    return [
      { ...about, who: 'truth', ms: QUANTILES.map((q) => rankAt(truthUs, q) / 1000), note: `${never} never answered` },
      {
        ...about,
        who: 'partywall',
        ms: QUANTILES.map((q) => (recordedUs.quantile(q) ?? Number.NaN) / 1000),
        note: `${outcomes.unfinished} unfinished, ${outcomes.failed} failed`,
      },
    ]
  })
}

async function theirs(peer: Peer, names: readonly PathologyName[], ratePerSecond: number, say: Say): Promise<Cell[]> {
  const servers = await startPathologies(names, ratePerSecond, SECONDS * 1e6)
  try {
    await servers.warmUp()
    const cells = await Promise.all(
      names.map(async (pathology, i): Promise<Cell> => {
        const url = `${servers.origins[i]}/`
        const asked = { url, ratePerSecond, seconds: SECONDS, timeoutSeconds: TIMEOUT_SECONDS }
        return { who: peer.name, pathology, ratePerSecond, ...(await peer.report(asked)) }
      }),
    )
    const { heldUp } = await servers.heldUp()
    say(
      `${peer.name} (${peer.how}) at ${ratePerSecond}/s, ${names.join(', ')}: servers held up ${heldUp.p99Us} us at p99`,
    )
    return cells
  } finally {
    await servers.stop()
  }
}

/** A table for each pathology and rate under the other, truth first. */
function rowsOf(cells: readonly Cell[]): string[][] {
  const rows = [['server', 'rate', 'who', 'n', 'p50 ms', 'p90 ms', 'p99 ms', 'p99.9 ms', 'says']]
  for (const rate of RATES) {
    for (const name of pathologyNames) {
      const own = cells.filter(({ pathology, ratePerSecond }) => pathology === name && ratePerSecond === rate)
      const truth = own.find(({ who }) => who === 'truth')
      for (const { who, n, ms, note } of own) {
        const shown = quantilesFor(truth?.n ?? 0).length
        const values = ms.map((value, i) => (i < shown ? cellOf(value, truth?.ms[i] ?? Number.NaN, who) : '-'))
        rows.push([name, `${rate}/s`, who, n.toLocaleString('en'), ...values, note])
      }
    }
  }
  return rows
}

/** How many of a tool's percentiles lie further from the truth than the suite allows; those that n does not carry left out. */
function farOff(who: string, cells: readonly Cell[]): string {
  const isFar = cells
    .filter((cell) => cell.who === who)
    .flatMap(({ pathology, ratePerSecond, ms }) => {
      const isSame = (cell: Cell) => cell.pathology === pathology && cell.ratePerSecond === ratePerSecond
      const truth = cells.find((cell) => cell.who === 'truth' && isSame(cell))
      return quantilesFor(truth?.n ?? 0).map((_, i) => {
        const [told, wanted] = [ms[i] ?? Number.NaN, truth?.ms[i] ?? Number.NaN]
        if (wanted === Number.POSITIVE_INFINITY) return told < TIMEOUT_SECONDS * 1000
        return !(Math.abs(told - wanted) <= toleranceMs(wanted))
      })
    })
  return `${who}: ${isFar.filter(Boolean).length} of ${isFar.length} percentiles further from the truth than 5 % or 2 ms`
}

/** What is never answered is at least the time for which it was waited; whoever reports as much is right. */
function cellOf(ms: number | null, truthMs: number, who: string): string {
  if (ms === null || Number.isNaN(ms)) return '-'
  const waitedMs = TIMEOUT_SECONDS * 1000
  const text = ms === Number.POSITIVE_INFINITY ? `>= ${waitedMs}` : Number(ms.toPrecision(3)).toString()
  if (who === 'truth') return text
  const isAtLeast = truthMs === Number.POSITIVE_INFINITY
  const wanted = isAtLeast ? waitedMs : truthMs
  const off = isAtLeast && ms >= wanted ? 0 : (ms - wanted) / wanted
  return `${text} (${off > 0 ? '+' : ''}${Number((off * 100).toPrecision(2))} %)`
}
