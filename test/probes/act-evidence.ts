// Hand-made lines of a journal of acts. Times of runs are milliseconds, those of starts too: written as microseconds.

import type { ActLine, ActMark, ActRun, ActStart, ActTenant } from '../../harness/evidence/acts.ts'

export const tenant = (name: string, more: Partial<ActTenant> = {}): ActTenant => ({
  t: 'tenant',
  act: 'a',
  tenant: name,
  startsPerMinute: 1000,
  concurrentRuns: 100,
  maxRunMs: 1000,
  weight: 1,
  declaredMs: { work: 10 },
  ...more,
})

/** A start at this time, answered 2 ms later. */
export const start = (name: string, atMs: number, status = 202, id: string | null = `${name}-${atMs}`): ActStart => ({
  t: 'start',
  act: 'a',
  tenant: name,
  workflow: 'work',
  status,
  id: status === 202 ? id : null,
  leftUs: atMs * 1000,
  answeredUs: atMs * 1000 + 2000,
})

/** A run that was done, unless told otherwise: queued at, started at, ended at. */
export const run = (
  name: string,
  [queuedMs, startedMs, endedMs]: readonly [number, number | null, number | null],
  more: Partial<ActRun> = {},
): ActRun => ({
  t: 'run',
  act: 'a',
  look: 1,
  tenant: name,
  id: `${name}-${queuedMs}`,
  workflow: 'work',
  source: 'api',
  status: endedMs !== null ? 'done' : startedMs !== null ? 'running' : 'queued',
  attempt: 1,
  queuedMs,
  startedMs,
  endedMs,
  ...more,
})

export const mark = (name: string, what: string, value = 0): ActMark => {
  return { t: 'mark', act: 'a', tenant: name, what, value, atUs: 0 }
}

/** Lines of this many, the n-th from 0. */
export const times = <T extends ActLine>(count: number, make: (n: number) => T): T[] => {
  return Array.from({ length: count }, (_, n) => make(n))
}

/** Runs of one tenant, one after the other on as many slots, all queued at `queuedMs`. */
export const worked = (
  name: string,
  count: number,
  { slots, eachMs, fromMs = 0, queuedMs = 0 }: { slots: number; eachMs: number; fromMs?: number; queuedMs?: number },
): ActRun[] =>
  times(count, (n) => {
    const startedMs = fromMs + Math.floor(n / slots) * eachMs
    return run(name, [queuedMs, startedMs, startedMs + eachMs], { id: `${name}-${queuedMs}-${n}` })
  })
