// Turns what the generator collected into evidence on disk: journal lines, interval histograms, block facts.
// A sample belongs to the block of its intended start; what lies in no steady window is kept and counted to no arm.

import type { BlockFacts } from '../evidence/run.ts'
import type { Arm, Block, CutWindow, TenantWindow } from '../evidence/types.ts'
import type { Operation } from '../load/ledger.ts'
import type { Counts } from '../recording/counts.ts'
import { type Interval, type Kind, logLine } from '../recording/interval-log.ts'

export interface Window {
  index: number
  arm: Arm
  pair: number | null
  startUs: number
  settleUs: number
  endUs: number
}

/** When the run was cut: ages up to which an open operation says nothing. */
export interface CutAges {
  sloUs: number
  timeoutUs: number
}

export interface Recorded {
  journal: string
  log: string
  facts: BlockFacts[]
}

const INTERVAL_US = 1e6

export const inWindow = (op: Operation, w: Window): boolean =>
  op.intendedUs >= w.startUs + w.settleUs && op.intendedUs < w.endUs

/** @param operations every operation with an intended start in [fromUs, toUs), windows all inside it */
export function record(
  labels: readonly string[],
  operations: readonly Operation[],
  windows: readonly Window[],
  fromUs: number,
  toUs: number,
  cut?: CutAges,
): Recorded {
  const facts: BlockFacts[] = windows.map((w) => ({ ...w, tenants: [] }))
  const between = { arm: 'between' as const, block: -1, startUs: fromUs, endUs: toUs }
  const stretches = windows.map((w) => {
    return { arm: w.arm, block: w.index, startUs: w.startUs + w.settleUs, endUs: w.endUs }
  })
  // By window, the last for those in none, and by tenant: one walk over the operations.
  const shares = [...windows, between].map(() => labels.map((): Operation[] => []))
  let journal = ''
  for (const op of operations) {
    const w = windows.findIndex((window) => inWindow(op, window))
    const { arm, block } = stretches[w] ?? between
    shares.at(w)?.[op.tenant]?.push(op)
    journal += journalLine(labels, op, arm, block)
  }
  const log: LogLine[] = []
  ;[...stretches, between].forEach((stretch, w) => {
    labels.forEach((tenant, index) => {
      const mine = shares[w]?.[index] ?? []
      log.push(...logStretch({ tenant, ...stretch }, mine))
      const fact = facts[w]
      const cutWindow = cut && cutIn(mine, cut)
      fact?.tenants.push({ tenant, ...count(mine), ...(cutWindow ? { cut: cutWindow } : {}) })
      // Half of its slow operations are missing: nothing to compare with.
      if (fact && cutWindow) fact.pair = null
    })
  })
  // Readers of such logs expect them in the order of time.
  log.sort((x, y) => x.startUs - y.startUs)
  return { journal, log: log.map(({ text }) => text).join(''), facts }
}

function journalLine(labels: readonly string[], op: Operation, arm: string, block: number): string {
  const { seq, outcome } = op
  const [intendedUs, endUs] = [op.intendedUs, op.endUs].map(Math.round)
  const handedUs = op.handedUs === null ? null : Math.round(op.handedUs)
  const tenant = labels[op.tenant]
  return `${JSON.stringify({ t: 'op', tenant, seq, arm, block, intendedUs, handedUs, endUs, outcome })}\n`
}

function count(operations: readonly Operation[]) {
  const of = (outcome: Operation['outcome']) => operations.filter((op) => op.outcome === outcome).length
  const sent = operations.filter((op) => op.handedUs !== null).length
  return { offered: operations.length, sent, ok: of('ok'), failed: of('failed'), unfinished: of('unfinished') }
}

function cutIn(operations: readonly Operation[], { sloUs, timeoutUs }: CutAges): CutWindow | null {
  const ages = operations.filter(({ outcome }) => outcome === 'unfinished').map((op) => op.endUs - op.intendedUs)
  const open = ages.filter((us) => us < timeoutUs).length
  return open === 0 ? null : { open, young: ages.filter((us) => us < Math.min(sloUs, timeoutUs)).length }
}

interface LogLine {
  startUs: number
  text: string
}

/** A line for each second of a stretch of time, counted from its start, and each kind of time. */
function logStretch(stretch: Omit<Interval, 'kind'>, operations: readonly Operation[]): LogLine[] {
  const seconds: Operation[][] = []
  for (const op of operations) {
    const second = Math.floor((op.intendedUs - stretch.startUs) / INTERVAL_US)
    const own = seconds[second]
    if (own) own.push(op)
    else seconds[second] = [op]
  }
  return seconds.flatMap((own, second) => {
    const startUs = stretch.startUs + second * INTERVAL_US
    const endUs = Math.min(stretch.endUs, startUs + INTERVAL_US)
    const line = (kind: Kind, us: number[]) => logLine({ ...stretch, kind, startUs, endUs }, us)
    const ok = own.filter(({ outcome }) => outcome === 'ok')
    const open = own.filter(({ outcome }) => outcome === 'unfinished')
    const text =
      line('response', ok.map(responseUs)) +
      line('service', ok.map(serviceUs)) +
      line('lateness', own.map(latenessUs)) +
      line('at-least', open.map(responseUs))
    return { startUs, text }
  })
}

const responseUs = ({ intendedUs, endUs }: Operation) => endUs - intendedUs
const serviceUs = ({ handedUs, endUs }: Operation) => endUs - (handedUs ?? endUs)
/** One that was never handed over is late by all the time that it was waited for. */
const latenessUs = ({ intendedUs, handedUs, endUs }: Operation) => (handedUs ?? endUs) - intendedUs

/** Joins block facts with their response times, read back from the log. */
export function blocksOf(facts: readonly BlockFacts[], intervals: ReadonlyMap<string, Counts>): Block[] {
  return facts.map((block) => {
    const tenants: TenantWindow[] = block.tenants.map((window) => {
      return {
        ...window,
        responseUs: intervals.get(`${window.tenant}/${block.arm}/${block.index}/response`)?.pairs() ?? [],
      }
    })
    return { ...block, tenants }
  })
}
