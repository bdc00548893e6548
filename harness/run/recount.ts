// The journal against the run's schedule, and the histograms against the journal: what a recorder lost, cut off, measured
// from another start or took from another run shows here. Pure; refuses to mend anything.

import type { Evidence, OperationLine } from '../evidence/run.ts'
import type { Precondition } from '../evidence/verdict.ts'
import { scheduleTenants } from '../load/schedule.ts'
import { Counts } from '../recording/counts.ts'
import type { Journal } from './journal.ts'

interface Log {
  intervals: ReadonlyMap<string, Counts>
  nonces: readonly string[]
}

/** Values of the log have 3 significant digits (a bucket is at most 1/1024 wide); the journal's times are rounded twice. */
const AGREE_SHARE = 0.002
const AGREE_US = 2

/** Whether two readings of one time agree. @param a, b microseconds */
export const agree = (a: number, b: number): boolean => Math.abs(a - b) <= AGREE_US + AGREE_SHARE * Math.max(a, b)

export function recount(evidence: Evidence, journal: Journal, log: Log): Precondition[] {
  if (evidence.blocks.length === 0) return []
  return [oneRun(evidence, journal, log), scheduled(evidence, journal), histograms(evidence, journal, log)]
}

function oneRun({ selfChecks: { nonce } }: Evidence, journal: Journal, log: Log): Precondition {
  const parts = [
    { file: 'journal.ndjson', nonces: journal.nonces },
    { file: 'histograms.hlog', nonces: log.nonces },
  ]
  const told = parts.map(({ file, nonces }) => {
    const strange = nonces.filter((other) => other !== nonce)
    const whose = strange.length === 0 ? '' : ` (the first says ${strange[0]})`
    const held = nonce !== '' && nonces.length > 0 && strange.length === 0
    return { held, words: `${strange.length} of ${nonces.length} parts of ${file} are of another run${whose}` }
  })
  const detail = `${told.map(({ words }) => words).join(', ')}; this run's nonce is ${nonce}`
  return { name: 'one-run', held: told.every(({ held }) => held), spoils: 'both', detail }
}

/** Every arrival that the run seed schedules up to the end of the last block, with its tenant and its intended start. */
function scheduled(evidence: Evidence, { operations }: Journal): Precondition {
  const { runSeed, quietTenants, blocks } = evidence
  const endUs = Math.max(...blocks.map((block) => block.endUs))
  const found = new Map(operations.map((op) => [op.seq, op]))
  const odd = { missing: 0, moved: 0, farthestUs: 0 }
  let seq = 0
  for (const { tenant, intendedUs } of scheduleTenants(runSeed, quietTenants)) {
    if (intendedUs >= endUs) break
    const op = found.get(seq++)
    const apartUs = op ? Math.abs(op.intendedUs - intendedUs) : 0
    if (!op) odd.missing++
    else if (apartUs > AGREE_US || op.tenant !== quietTenants[tenant]?.label) odd.moved++
    odd.farthestUs = Math.max(odd.farthestUs, apartUs)
  }
  const twice = operations.length - found.size
  const of = `of ${seq} arrivals that the run seed schedules in ${(endUs / 1e6).toFixed(1)} s`
  const far = odd.farthestUs > AGREE_US ? `, by up to ${(odd.farthestUs / 1000).toFixed(1)} ms` : ''
  const detail = `${of}, ${odd.missing} are not in the journal, ${odd.moved} stand there with another start or tenant${far}, ${twice} twice`
  const held = odd.missing + odd.moved + twice === 0
  return { name: 'every-arrival-recorded', held, spoils: 'both', detail }
}

type Reading = { kind: 'response' | 'lateness'; us(op: OperationLine): number | null }
const readings: readonly Reading[] = [
  { kind: 'response', us: ({ outcome, endUs, intendedUs }) => (outcome === 'ok' ? endUs - intendedUs : null) },
  { kind: 'lateness', us: ({ handedUs, endUs, intendedUs }) => (handedUs ?? endUs) - intendedUs },
]
const QUANTILES = [0.5, 0.99, 1]

/** What is judged is in the histograms; the journal tells each operation by itself. */
function histograms(evidence: Evidence, { operations }: Journal, { intervals }: Log): Precondition {
  const windows = Map.groupBy(operations, ({ tenant, arm, block }) => `${tenant}/${arm}/${block}`)
  const odd: string[] = []
  let compared = 0
  for (const { arm, index, tenants } of evidence.blocks) {
    for (const { tenant, offered, ok } of tenants) {
      const mine = windows.get(`${tenant}/${arm}/${index}`) ?? []
      const well = mine.filter(({ outcome }) => outcome === 'ok').length
      const where = `${tenant} in block ${index} (${arm})`
      if (offered !== mine.length || ok !== well) {
        odd.push(
          `${where}: ${offered} operations, ${ok} of them well, where the journal has ${mine.length} and ${well}`,
        )
      }
      for (const reading of readings) {
        compared++
        const why = differing(
          mine,
          reading,
          intervals.get(`${tenant}/${arm}/${index}/${reading.kind}`) ?? Counts.of([]),
        )
        if (why !== null) odd.push(`${where}: ${why}`)
      }
    }
  }
  const first = odd[0] === undefined ? '' : `; the first: ${odd[0]}`
  const detail = `${odd.length} differences from the journal in ${compared} histograms of ${operations.length} operations${first}`
  return { name: 'histograms-are-the-journals', held: odd.length === 0, spoils: 'both', detail }
}

function differing(operations: readonly OperationLine[], { kind, us }: Reading, counts: Counts): string | null {
  // Less than nothing is recorded as nothing.
  const times = operations.flatMap((op) => us(op) ?? []).map((time) => Math.max(0, time))
  const sorted = times.sort((x, y) => x - y)
  const n = counts.total
  if (n !== sorted.length) return `${n} times of ${kind}, where the journal has ${sorted.length}`
  for (const q of n === 0 ? [] : QUANTILES) {
    const told = counts.quantile(q) ?? 0
    const seen = sorted[Math.max(1, Math.ceil(n * q)) - 1] ?? 0
    if (agree(told, seen)) continue
    const what = `${kind} ${q === 1 ? 'maximum' : `p${100 * q}`}`
    return `${what} ${(told / 1000).toFixed(1)} ms, where the journal's intended starts give ${(seen / 1000).toFixed(1)} ms (n=${n})`
  }
  return null
}
