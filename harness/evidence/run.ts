// A run's evidence: the facts of evidence.json, and the lines of journal.ndjson that the judge reads.

import type { Arm, CutWindow, MakerName, NoiseTally, Objectives } from './types.ts'

/** evidence.json. `responseUs` of the blocks lies in histograms.hlog, under `tenant/arm/block/response`. */
export interface Evidence {
  version: 1
  scenario: string
  question: string
  target: string
  defect: string | null
  /** Trips of the seeded defect as the engine's second door told them; null without one. Read by no probe and no verdict. */
  defectTrips: number | null
  runSeed: number
  startedAt: string
  endedAt: string
  interrupted: boolean
  partywall: string
  machine: { platform: string; cores: number; memoryGiB: number; node: string }
  stack: { redis: string }
  quietTenants: QuietTenant[]
  noisyTenant: string
  objectives: Objectives
  pairsPlanned: number
  operationTimeoutMs: number
  settleMs: number
  blocks: BlockFacts[]
  /** How the wait for the noisy backlog came to its end: after the noise of the warm-up, and after each block of a pair. */
  drains: DrainFacts[]
  /** Quiet operations after the noise of the warm-up was drained; null when the run did not come so far. */
  rehearsed: { ok: number; offered: number } | null
  /** Where the noise of the noise blocks went: `sink` in an A/A run. Absent in evidence older than the choice: `target`. */
  noiseTo?: 'target' | 'sink'
  noise: Record<'placebo' | 'noise', NoiseTally>
  noiseOrdered: Record<'placebo' | 'noise', { api: number; stream: number }>
  /** Operations a second of each noise maker, as the scenario asks for them. */
  noisePlanned: Partial<Record<MakerName, number>>
  selfChecks: SelfChecks
  /** A meter that gave no answer has 0 samples. */
  hiccups: Array<{ who: 'generator' | 'control'; samples: number; p99Us: number; maxUs: number }>
  /** What went wrong with the generator's own connections, each once; for instance an event stream that broke. */
  problems?: string[]
  /** How the generator's thread fared after the warm-up: busiest collection, its pauses for garbage. */
  vitals?: { loopUtilizationMax: number; cpuUs: number; gcCount: number; gcMaxUs: number; gcSumUs: number }
  /** Looks taken while the run went on: replayed by the judge. */
  looks: Array<{ pair: number; outcome: string }>
  /** Absent in runs that were saved before it was asked for. */
  dwell?: DwellFacts
  targetDied: string | null
  pairsEnded: string | null
  /** Set when an error, ours or the machine's, ended the run after at least one pair: its words. */
  brokeOff: string | null
  notApplicable: Array<{ what: string; why: string }>
  /** SHA-256 of the files beside this one. */
  files: Record<string, string>
}

/** What the harness found when it looked at its own instruments. */
export interface SelfChecks {
  /** Random, of this run alone; every part of the two files beside evidence.json begins with it. 16 hex digits. */
  nonce: string
  /** One of each scanner: the prober's, the generator's, each noise maker's over the API. */
  scans: ScanCheck[]
  owners: OwnerCheck
  /** First 12 hex digits of the HMAC of each tenant's headers under a key that is kept nowhere: same digest, same credential. */
  credentials: Array<{ tenant: string; digest: string }>
  questions: QuestionAccount
  /** Errors of ours that were thrown where nobody waited for them; none in a sound run. */
  thrown: Thrown[]
}

/** Canaries of a tenant that nobody is, planted in every sink and encoding. */
export interface ScanCheck {
  who: string
  planted: number
  found: number
  /** "base64 in headers". */
  missed: string[]
}

export interface OwnerCheck {
  tenants: number
  /** Tenants whose canary came back under another label. */
  mistaken: Array<{ owner: string; takenFor: string }>
}

/** What became of the data probes' questions, up to the last that were written to the journal. */
export interface QuestionAccount {
  /** Between two questions in a block, milliseconds; 0 where the target has no route that could be asked. */
  everyMs: number
  /** Questions whose time came. */
  due: number
  /** Not asked, as no run of the owner was known yet. */
  skipped: number
  /** Of them ended by an error of ours. */
  thrown: number
  /** Not ended yet. */
  open: number
}

export interface Thrown {
  who: string
  times: number
  first: string
}

/** One operation's line in the journal; times are whole microseconds on the generator's clock. */
export interface OperationLine {
  tenant: string
  /** Number of the arrival in the run's schedule, from 0. */
  seq: number
  /** `between`: in no steady window; its block is -1. */
  arm: Arm | 'between'
  block: number
  intendedUs: number
  handedUs: number | null
  endUs: number
  outcome: 'ok' | 'failed' | 'unfinished'
}

/**
 * How one tenant's arrivals lie in time. `poisson`: independent arrivals. `uniform`: one every 1/rate. `burst`: `size` at the
 * same moment, as often as the rate asks for. `ramp`: Poisson arrivals whose rate goes evenly to `toPerSecond` in `overMs`,
 * and stays there.
 */
export type Shape =
  | 'poisson'
  | 'uniform'
  | { burst: { size: number } }
  | { ramp: { toPerSecond: number; overMs: number } }

/**
 * Run seed, rates and shapes of all quiet tenants, in this order, are the whole of the schedule: `scheduleTenants` of
 * harness/load/schedule.ts draws from them the intended starts that the journal holds.
 */
export interface QuietTenant {
  label: string
  /** Arrivals a second, above 0; for a ramp, where it begins. */
  ratePerSecond: number
  shape: Shape
  stepMs: number
  /** Milliseconds between two questions whether a run is done; 0 where the target tells it by itself. */
  pollMs: number
}

/**
 * `seen`: nothing was left. `not-offered`, `not-visible`: the target has no way to say, or did not say (for instance as it
 * refused); a settling time was waited. `outlived`: something was left after three blocks. `unreachable`: nothing answered.
 */
export type DrainEnd = 'seen' | 'not-offered' | 'not-visible' | 'outlived' | 'unreachable'

export interface DrainFacts {
  /** The pair it belongs to; null in the warm-up. */
  pair: number | null
  after: Arm
  end: DrainEnd
  /** Runs of the noisy tenant that the target told of at the first question; null when it told of none, or was not asked. */
  left: number | null
  tookMs: number
  /** What stood in the way; empty when nothing did. */
  why: string
}

/**
 * Whether the target told how long runs waited for their first execution; what it told is in the journal. `unknown`: runs
 * that it did not know (any more). `why`: what ended the asking before its time; empty when nothing did.
 */
export type DwellFacts =
  | { state: 'asked'; questions: number; asked: number; answered: number; unknown: number; tookMs: number; why: string }
  /** The target has no way to tell. */
  | { state: 'not-offered' }
  | { state: 'not-asked'; why: string }

/** A run of the sample, as the target tells it: milliseconds on the target's own clock; null where it never began. */
export interface DwellObservation {
  t: 'dwell'
  tenant: string
  arm: Arm
  block: number
  run: string
  /** Of a run that was tried again the first execution is not told. */
  attempt: number
  queuedMs: number
  startedMs: number | null
}

export interface BlockFacts {
  index: number
  arm: Arm
  pair: number | null
  startUs: number
  settleUs: number
  endUs: number
  tenants: Array<{
    tenant: string
    offered: number
    sent: number
    ok: number
    failed: number
    unfinished: number
    cut?: CutWindow
  }>
}

/** A probe's observation in the journal. */
export interface ProbeObservation {
  t: 'probe'
  probe: 'read' | 'list'
  atUs: number
  arm: Arm | 'other'
  reader: string
  owner: string
  /** Of a read: the id that was asked about. */
  run?: string
  /** Of a list: which page, from 1; `only` when the target names no way to the ones behind it. */
  page?: number | 'only'
  /** HTTP status; 0 when there was no whole answer. */
  status: number
  /** Own canaries in the answer; foreign ones in it and in all that was asked for comparison. */
  own: number
  foreign: SeenCanary[]
  /** For a foreign read that was answered with success: whether an id of nobody gets the same; null when not decidable. */
  likeUnknown: boolean | null
}

export interface SeenCanary {
  owner: string
  digest: string
  encoding: string
  /** Absent: in the body. */
  in?: 'headers'
}

/** What a tenant received on its own connections, per collection. */
export interface ReceivedObservation {
  t: 'received'
  tenant: string
  messages: number
  own: number
}

export interface SightingObservation {
  t: 'sighting'
  atUs: number
  receiver: string
  owner: string
  digest: string
  encoding: string
  where: string
}

export type ProbeLine = ProbeObservation | ReceivedObservation | SightingObservation
