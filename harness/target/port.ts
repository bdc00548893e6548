// The port: what a system under test must offer. Adapters implement it; nobody else in the harness knows a target.

/** One tenant as the harness plans it; ids are made by the harness. */
export interface TenantPlan {
  /** The label in reports: quiet-1, noisy. */
  label: string
  id: string
  startsPerMinute: number
  concurrentRuns: number
  maxRunMs: number
  maxQueued: number
  /** Largest input of a run; the target's own default where it is left out. */
  maxPayloadBytes?: number
  /** Declared step time of its workflow, milliseconds. */
  stepMs: number
  /** Share of the target's time relative to others that wait; 1 where it is left out. Wants the capability `weights`. */
  weight?: number
  /** Workflows beside the one that sleeps for `stepMs`; each has its own start. Wants the capability `steps`. */
  workflows?: PlannedWorkflow[]
}

/** One step of its own kind: waits, burns CPU, or fails after a wait. */
export interface PlannedWorkflow {
  name: string
  does: 'sleep' | 'compute' | 'fail'
  ms: number
  /** Attempts in all and the wait before the second, for one that fails. */
  retry?: { attempts: number; backoffMs: number }
}

/** A request as every adapter can say it. Headers hold the tenant's credential: never to be logged. */
export interface Call {
  method: 'GET' | 'POST'
  path: string
  headers: Record<string, string>
  body?: string
}

/** How the generator learns that a run is done. */
export type Completion =
  | { by: 'response' }
  | { by: 'poll'; everyMs: number; path: string; statusAt: string; done: string[]; failed: string[] }
  | { by: 'sse'; call: Call; idAt: string; statusAt: string; done: string[]; failed: string[] }
  /** An entry of the tenant's results stream names the entry that was worked. */
  | { by: 'results'; key: string; idField: string; statusField?: string; failed: string[] }
  /** The entry was delivered to the group, and is in its pending list no more. */
  | { by: 'acknowledged'; group: string; everyMs: number }

/** Everything a generator thread needs for one tenant; plain data, so that it can cross a thread. */
export interface TenantAccess {
  label: string
  id: string
  origin: string
  /** Declared time that a run's own work takes, milliseconds: what the target says, not what was asked of it. */
  stepMs: number
  /** `{{canary}}` in the body is replaced by a fresh canary for each run. Absent: entries in `stream` are the only way. */
  start?: Call
  /** Dotted path of the run id in the answer; absent when completion is by response. */
  startIdAt?: string
  completion: Completion
  /** Starts of the planned workflows, by name. */
  starts?: Record<string, Call>
  /** Reads one run; `{id}` in the path. Absent: the target has no such route. */
  read?: Call
  /** Lists runs. */
  list?: Call
  /** The way to a list's next page: dotted path of the cursor in the answer, and the query parameter that takes it. */
  listNext?: { cursorAt: string; param: string }
  /** Answers with everything that the target keeps of the tenant. */
  export?: Call
  /** Writes straight into the tenant's stream. */
  stream?: TenantStream
}

/** A tenant whose work is started by a request. */
export type CalledAccess = TenantAccess & {
  start: Call
  completion: Exclude<Completion, { by: 'results' | 'acknowledged' }>
}

/** A tenant whose work is started by an entry in its stream, and by nothing else. */
export type StreamedAccess = TenantAccess & {
  stream: TenantStream
  completion: Extract<Completion, { by: 'results' | 'acknowledged' }>
}

export function isCalled(access: TenantAccess): access is CalledAccess {
  return access.start !== undefined && access.completion.by !== 'results' && access.completion.by !== 'acknowledged'
}

/** @throws Error for an access that an adapter of requests did not make */
export function called(access: TenantAccess): CalledAccess {
  if (isCalled(access)) return access
  throw new Error(`no request is known that starts work of ${access.label}`)
}

/** @throws Error for an access that has neither a request nor a stream to start by */
export function streamed(access: TenantAccess): StreamedAccess {
  const { stream, completion } = access
  if (stream !== undefined && (completion.by === 'results' || completion.by === 'acknowledged'))
    return { ...access, stream, completion }
  throw new Error(`no way is known to start work of ${access.label}`)
}

/** Entries that the tenant's own event sources may write; `{{canary}}` in a field as in a start. */
export interface TenantStream {
  redisUrl: string
  key: string
  /** With everything that an entry can say of itself. */
  fields: Record<string, string>
  /** As few as the target takes for a run: no tenant, no key. */
  bare?: Record<string, string>
  /** What the target can make no run of, and keeps for its owner all the same. */
  malformed?: ReadonlyArray<Record<string, string>>
}

export interface TargetExit {
  /** One sentence: what ended, with which code or signal. */
  reason: string
}

/** A run as the target tells it. Times are milliseconds on the target's own clock; null where it has none (yet). */
export interface RunRecord {
  id: string
  workflow: string
  source: string
  status: string
  attempt: number
  queuedMs: number
  startedMs: number | null
  endedMs: number | null
}

/** What an adapter can do beyond starting work and seeing it end. A probe that lacks one is not applicable. */
export type Capability =
  | 'sse'
  | 'stream'
  | 'read'
  | 'list'
  | 'backlog'
  | 'trips'
  /** Tenants are made and removed by us, with the limits of the plan; an id can be used again. */
  | 'tenants'
  | 'steps'
  | 'weights'
  /** `runs`: every run with its times. */
  | 'history'
  /** Every tenant has `export`. */
  | 'export'
  /** `loseGroups`. */
  | 'groups'
  /** `crash`. */
  | 'crash'

export interface Target {
  readonly name: string
  readonly capabilities: ReadonlySet<Capability>
  /** Brings the target up and waits until it answers. Throws an EnvironmentError. */
  start(): Promise<void>
  provision(plan: TenantPlan): Promise<TenantAccess>
  remove(access: TenantAccess): Promise<void>
  /** Any answer at all within this time, whatever it says. @throws when there is none. Absent: only `exited` tells. */
  reach?(withinMs: number): Promise<void>
  /**
   * Queued plus active runs of one tenant. Null when the target does not say: without the capability `backlog`, or as it
   * refused to be asked. @throws when there was no answer, or one that cannot be read
   */
  backlog(access: TenantAccess): Promise<number | null>
  /** All runs that the target tells this tenant of, newest first. */
  runs?(access: TenantAccess): Promise<RunRecord[]>
  /** One run of this tenant; null when the target knows none of this id (any more). @throws when there was no answer */
  run?(access: TenantAccess, id: string): Promise<RunRecord | null>
  /** Destroys the consumer groups of the tenant's own stream, as an accident would. @returns how many there were */
  loseGroups?(access: TenantAccess): Promise<number>
  /** Kills the target without warning and brings it back at the same address. */
  crash?(): Promise<void>
  /** Trip count of the seeded defect, relayed; no probe, verdict or precondition may read it. */
  trips(): Promise<number | null>
  /** Resolves when the target ends by itself. */
  readonly exited: Promise<TargetExit>
  stop(): Promise<void>
}
