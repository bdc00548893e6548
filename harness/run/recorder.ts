// Turns what the generator collected into evidence on disk: journal lines, interval histograms, block facts.
// A sample belongs to the block of its intended start; what lies in no steady window is kept and counted to no arm.

import type { BlockFacts } from '../evidence/run.ts'
import type { Arm, Block, CutWindow, TenantWindow } from '../evidence/types.ts'
import type { Operation } from '../load/ledger.ts'
import { type Counts, logLine } from '../recording/interval-log.ts'

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

const inWindow = (op: Operation, w: Window) => op.intendedUs >= w.startUs + w.settleUs && op.intendedUs < w.endUs

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
  const lines: string[] = []
  let log = ''
  const owner = operations.map((op) => windows.findIndex((w) => inWindow(op, w)))
  operations.forEach((op, i) => {
    const window = windows[owner[i] ?? -1]
    lines.push(journalLine(labels, op, window?.arm ?? 'between', window?.index ?? -1))
  })
  labels.forEach((tenant, index) => {
    windows.forEach((window, w) => {
      const mine = operations.filter((op, i) => owner[i] === w && op.tenant === index)
      log += logWindow(
        { tenant, arm: window.arm, block: window.index },
        window.startUs + window.settleUs,
        window.endUs,
        mine,
      )
      const fact = facts[w]
      const cutWindow = cut && cutIn(mine, cut)
      fact?.tenants.push({ tenant, ...count(mine), ...(cutWindow ? { cut: cutWindow } : {}) })
      // Half of its slow operations are missing: nothing to compare with.
      if (fact && cutWindow) fact.pair = null
    })
    const rest = operations.filter((op, i) => owner[i] === -1 && op.tenant === index)
    log += logWindow({ tenant, arm: 'between', block: -1 }, fromUs, toUs, rest)
  })
  return { journal: lines.join(''), log, facts }
}

function journalLine(labels: readonly string[], op: Operation, arm: string, block: number): string {
  const { seq, outcome } = op
  const [intendedUs, startUs, endUs] = [op.intendedUs, op.startUs, op.endUs].map(Math.round)
  return `${JSON.stringify({ t: 'op', tenant: labels[op.tenant], seq, arm, block, intendedUs, startUs, endUs, outcome })}\n`
}

function count(operations: readonly Operation[]) {
  const of = (outcome: Operation['outcome']) => operations.filter((op) => op.outcome === outcome).length
  const sent = operations.filter((op) => op.outcome !== 'unfinished' || op.startUs < op.endUs).length
  return { offered: operations.length, sent, ok: of('ok'), failed: of('failed'), unfinished: of('unfinished') }
}

function cutIn(operations: readonly Operation[], { sloUs, timeoutUs }: CutAges): CutWindow | null {
  const ages = operations.filter(({ outcome }) => outcome === 'unfinished').map((op) => op.endUs - op.intendedUs)
  const open = ages.filter((us) => us < timeoutUs).length
  return open === 0 ? null : { open, young: ages.filter((us) => us < Math.min(sloUs, timeoutUs)).length }
}

function logWindow(
  place: { tenant: string; arm: string; block: number },
  startUs: number,
  endUs: number,
  operations: readonly Operation[],
): string {
  const ok = operations.filter((op) => op.outcome === 'ok')
  const line = (kind: 'response' | 'service' | 'lateness', values: number[]) =>
    logLine({ ...place, kind, startUs, endUs }, values)
  return (
    line(
      'response',
      ok.map((op) => op.endUs - op.intendedUs),
    ) +
    line(
      'service',
      ok.map((op) => op.endUs - op.startUs),
    ) +
    line(
      'lateness',
      operations.map((op) => op.startUs - op.intendedUs),
    )
  )
}

/** Joins block facts with their response times, read back from the log. */
export function blocksOf(facts: readonly BlockFacts[], intervals: ReadonlyMap<string, Counts>): Block[] {
  return facts.map((block) => {
    const tenants: TenantWindow[] = block.tenants.map((window) => {
      return { ...window, responseUs: intervals.get(`${window.tenant}/${block.arm}/${block.index}/response`) ?? [] }
    })
    return { ...block, tenants }
  })
}
