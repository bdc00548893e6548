// What every probe of an act is made of: its lines, sorted out, and a finding with its numbers. Refuses to decide: each
// probe says itself what is broken.

import type { ActCanary, ActExport, ActLine, ActMark, ActRun, ActStart, ActTenant } from '../evidence/acts.ts'
import type { Finding, Observation } from '../evidence/types.ts'

export interface ActProbe {
  name: string
  promise: string
  /** The act that it is asked of. */
  act: string
  /** Rows of the isolation catalogue. */
  catalogue: readonly string[]
  /** @param lines those of its act only */
  judge(lines: readonly ActLine[]): Finding
}

/** A run that has begun; one that goes on has no end. */
export type BegunRun = ActRun & { startedMs: number }

export class ActSeen {
  readonly tenants: ReadonlyMap<string, ActTenant>
  readonly starts: readonly ActStart[]
  readonly marks: readonly ActMark[]
  readonly canaries: readonly ActCanary[]
  readonly exports: readonly ActExport[]
  readonly #runs: readonly ActRun[]

  constructor(lines: readonly ActLine[]) {
    this.tenants = new Map(lines.filter((line) => line.t === 'tenant').map((line) => [line.tenant, line]))
    this.starts = lines.filter((line) => line.t === 'start')
    this.marks = lines.filter((line) => line.t === 'mark')
    this.canaries = lines.filter((line) => line.t === 'canary')
    this.exports = lines.filter((line) => line.t === 'export')
    this.#runs = lines.filter((line) => line.t === 'run')
  }

  /** Runs of one tenant (or of all) as they were when looked at last, or at that look. */
  runs(tenant?: string, look?: number): ActRun[] {
    const at = look ?? Math.max(0, ...this.#runs.map((run) => run.look))
    return this.#runs.filter((run) => run.look === at && (tenant === undefined || run.tenant === tenant))
  }

  begun(tenant?: string, look?: number): BegunRun[] {
    return this.runs(tenant, look).filter((run): run is BegunRun => run.startedMs !== null)
  }

  /** The latest time that the target told of, milliseconds on its clock. */
  lastMs(look?: number): number {
    return this.runs(undefined, look).reduce((last, run) => {
      return Math.max(last, run.queuedMs, run.startedMs ?? 0, run.endedMs ?? 0)
    }, 0)
  }

  accepted(tenant: string): ActStart[] {
    return this.starts.filter((start) => start.tenant === tenant && isAccepted(start))
  }
}

export const isAccepted = ({ status }: ActStart): boolean => status >= 200 && status < 300
export const isAnswered = ({ status }: ActExport): boolean => status >= 200 && status < 300

/** The numbers that a finding stands on: how often it was asked, how often the positive control succeeded. */
export interface Counts {
  opportunities: number
  controls: number
}

/** A finding of one probe; `who` are the tenants whose promise it is about. */
export function findings(probe: string) {
  const make = (finding: Finding['finding']) => {
    return (counts: Counts, who: string[], reason: string, witness: Observation[] = []): Finding => {
      return { probe, finding, tenants: who, ...counts, reason, witness: witness.slice(0, 3) }
    }
  }
  return { held: make('held'), broken: make('broken'), inconclusive: make('inconclusive') }
}

/** A run as a witness, in milliseconds since `zeroMs`. */
export function sawRun(run: ActRun, zeroMs: number): Observation {
  const at = (ms: number | null) => (ms === null ? 'never' : `${Math.round(ms - zeroMs)} ms`)
  const times = `queued at ${at(run.queuedMs)}, started ${at(run.startedMs)}, ended ${at(run.endedMs)}`
  const what = `${run.tenant}: run ${run.id.replace(/^.*_/, '')} of ${run.workflow}, attempt ${run.attempt}, ${run.status}: ${times}`
  return { atUs: Math.max(0, Math.round((run.queuedMs - zeroMs) * 1000)), arm: 'other', what }
}

export const firstMs = (runs: readonly ActRun[]): number => Math.min(...runs.map(({ queuedMs }) => queuedMs))

export function median(values: readonly number[]): number | null {
  const sorted = [...values].sort((x, y) => x - y)
  return sorted[Math.floor((sorted.length - 1) / 2)] ?? null
}
