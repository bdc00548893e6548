// Arithmetic over the times of runs: how many ran at once, how much slot time each tenant had in a window. Pure, on the
// target's clock; a run that has not ended goes on to the end of whatever is asked.

import type { BegunRun } from './act-probe.ts'

/** The most runs at one instant, and those that ran then. A run that ends in the millisecond in which another starts is over. */
export function mostAtOnce(runs: readonly BegunRun[]): { most: number; at: BegunRun[]; atMs: number } {
  const edges = runs.flatMap((run) => [
    { ms: run.startedMs, by: 1 },
    { ms: Math.max(run.endedMs ?? Number.POSITIVE_INFINITY, run.startedMs + 0.5), by: -1 },
  ])
  edges.sort((x, y) => x.ms - y.ms || x.by - y.by)
  let now = 0
  let most = 0
  let atMs = 0
  for (const { ms, by } of edges) {
    now += by
    if (now > most) {
      most = now
      atMs = ms
    }
  }
  const at = runs.filter((run) => run.startedMs <= atMs && (run.endedMs ?? Number.POSITIVE_INFINITY) > atMs)
  return { most, at, atMs }
}

export interface Span {
  fromMs: number
  toMs: number
}

/** Slot time that these runs had within the span, milliseconds. */
export function slotMs(runs: readonly BegunRun[], { fromMs, toMs }: Span): number {
  return runs.reduce((sum, run) => {
    const from = Math.max(fromMs, run.startedMs)
    const to = Math.min(toMs, run.endedMs ?? toMs)
    return sum + Math.max(0, to - from)
  }, 0)
}

/**
 * The time in which a tenant surely had runs waiting: from its first being queued until four fifths of them had started.
 * @param all its runs, begun or not
 */
export function backlogged(all: readonly { queuedMs: number; startedMs: number | null }[], nowMs: number): Span {
  const fromMs = Math.min(...all.map(({ queuedMs }) => queuedMs))
  const starts = all.map(({ startedMs }) => startedMs ?? Number.POSITIVE_INFINITY).sort((x, y) => x - y)
  const toMs = Math.min(nowMs, starts[Math.floor(0.8 * (starts.length - 1))] ?? fromMs)
  return { fromMs, toMs }
}

/** What all spans have in common; of no length when there is nothing. */
export function common(spans: readonly Span[]): Span {
  const fromMs = Math.max(...spans.map((span) => span.fromMs))
  // A tenant without runs waited from no time on.
  if (!Number.isFinite(fromMs)) return { fromMs: 0, toMs: 0 }
  return { fromMs, toMs: Math.max(fromMs, Math.min(...spans.map((span) => span.toMs))) }
}
