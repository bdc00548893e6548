// Slot time of several tenants in the time in which all of them surely had runs waiting. Pure arithmetic.

import type { ActSeen } from './act-probe.ts'
import { backlogged, common, slotMs } from './slot-time.ts'

/** Less than this of common waiting decides nothing, milliseconds. */
export const MIN_SPAN_MS = 500

export interface Contended {
  /** Of the slot time that these tenants had together, 0..1. */
  shares: Map<string, number>
  spanMs: number
  /** Runs that began in the span, and those of them that ended well. */
  runs: number
  done: number
}

export function contended(seen: ActSeen, names: readonly string[]): Contended {
  const nowMs = seen.lastMs()
  const span = common(names.map((tenant) => backlogged(seen.runs(tenant), nowMs)))
  const times = new Map(names.map((tenant) => [tenant, slotMs(seen.begun(tenant), span)]))
  const all = [...times.values()].reduce((sum, ms) => sum + ms, 0)
  const began = names
    .flatMap((tenant) => seen.begun(tenant))
    .filter(({ startedMs }) => startedMs >= span.fromMs && startedMs <= span.toMs)
  return {
    shares: new Map([...times].map(([tenant, ms]) => [tenant, all === 0 ? 0 : ms / all])),
    spanMs: span.toMs - span.fromMs,
    runs: began.length,
    done: began.filter(({ status }) => status === 'done').length,
  }
}

/** Least over most, 0..1; 0 where there is nothing. */
export function minMax(values: readonly number[]): number {
  const most = Math.max(0, ...values)
  return most === 0 ? 0 : Math.min(...values) / most
}

export function shareWords(shares: ReadonlyMap<string, number>, spanMs: number, runs: number): string {
  const each = [...shares].map(([tenant, share]) => `${tenant} ${(100 * share).toFixed(1)} %`).join(', ')
  return `slot time ${each}, in ${Math.round(spanMs)} ms with all of them waiting, ${runs} runs begun`
}
