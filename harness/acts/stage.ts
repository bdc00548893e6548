// Where an act plays: makes its tenants, starts their runs, looks at what became of them, and writes all of it down.
// Through the port only. Refuses to judge.

import type { ActLine } from '../evidence/acts.ts'
import type { Caller } from '../target/caller.ts'
import type { Capability, PlannedWorkflow, Target, TenantAccess } from '../target/port.ts'

export interface Act {
  name: string
  /** Plays beside the others, since it mostly waits. */
  beside?: boolean
  needs: readonly Capability[]
  play(stage: Stage): Promise<void>
}

export interface Role {
  stepMs?: number
  startsPerMinute?: number
  concurrentRuns?: number
  maxRunMs?: number
  weight?: number
  workflows?: PlannedWorkflow[]
}

export interface StageParts {
  target: Target
  caller: Caller
  /** Ends ids, so that two runs on one Redis do not meet. */
  tag: string
  nowUs(): number
  /** A fresh canary of the tenant with this label. */
  canaryOf(label: string): string
  write(line: ActLine): void
  signal: AbortSignal
}

const POLL_MS = 50
const ENOUGH = 1_000_000
const QUEUED_MAX = 100_000

export class Stage {
  readonly target: Target
  readonly #act: string
  readonly #parts: StageParts
  readonly #tenants: TenantAccess[] = []
  #look = 0

  constructor(act: string, parts: StageParts) {
    this.#act = act
    this.#parts = parts
    this.target = parts.target
  }

  nowUs(): number {
    return Math.round(this.#parts.nowUs())
  }

  /** A tenant with limits that bind nothing, but for those of its role. Made again, it is the same id. */
  async tenant(label: string, role: Role = {}): Promise<TenantAccess> {
    this.#parts.signal.throwIfAborted()
    const { stepMs = 5, startsPerMinute = ENOUGH, concurrentRuns = 1000, maxRunMs = 60_000, weight = 1 } = role
    const { workflows = [] } = role
    const id = `${this.#act}-${label}${this.#parts.tag}`
    const limits = { startsPerMinute, concurrentRuns, maxRunMs }
    const access = await this.target.provision({
      label,
      id,
      stepMs,
      weight,
      workflows,
      maxQueued: QUEUED_MAX,
      ...limits,
    })
    if (!this.#tenants.some((known) => known.id === id)) this.#tenants.push(access)
    const declaredMs = { work: stepMs, ...Object.fromEntries(workflows.map(({ name, ms }) => [name, ms])) }
    this.#parts.write({ t: 'tenant', act: this.#act, tenant: label, ...limits, weight, declaredMs })
    return access
  }

  async start(access: TenantAccess, workflow = 'work'): Promise<number> {
    this.#parts.signal.throwIfAborted()
    const call = workflow === 'work' ? access.start : access.starts?.[workflow]
    if (!call) throw new Error(`no start of the workflow ${workflow} is known`)
    const body = call.body?.replaceAll('{{canary}}', this.#parts.canaryOf(access.label))
    const filled = body === undefined ? call : { ...call, body }
    const answer = await this.#parts.caller.call(access.origin, filled, access.startIdAt)
    const { status, id } = answer
    const [leftUs, answeredUs] = [Math.floor(answer.leftUs), Math.ceil(answer.answeredUs)]
    this.#parts.write({
      t: 'start',
      act: this.#act,
      tenant: access.label,
      workflow,
      status,
      id,
      leftUs,
      answeredUs,
    })
    return status
  }

  /** As many starts at once; waits for their answers. */
  async burst(access: TenantAccess, count: number, workflow = 'work'): Promise<void> {
    await Promise.all(Array.from({ length: count }, () => this.start(access, workflow)))
  }

  /** Backlogs for several tenants, their starts in turns, so that all of them wait from about the same time on. */
  async backlogs(of: ReadonlyArray<readonly [TenantAccess, number]>): Promise<void> {
    const most = Math.max(...of.map(([, count]) => count))
    const starts: Array<Promise<number>> = []
    for (let i = 0; i < most; i++) {
      for (const [access, count] of of) if (i < count) starts.push(this.start(access))
    }
    await Promise.all(starts)
  }

  /** One start after the other, so many milliseconds apart. */
  async trickle(access: TenantAccess, count: number, everyMs: number, workflow = 'work'): Promise<void> {
    const starts: Array<Promise<number>> = []
    for (let i = 0; i < count; i++) {
      starts.push(this.start(access, workflow))
      await this.wait(everyMs)
    }
    await Promise.all(starts)
  }

  /** Waits until these tenants have nothing queued or active. @returns whether that came within the time */
  async drained(accesses: readonly TenantAccess[], withinMs: number): Promise<boolean> {
    const until = performance.now() + withinMs
    for (;;) {
      const left = await Promise.all(accesses.map((access) => this.target.backlog(access)))
      if (left.every((n) => n === 0)) return true
      if (performance.now() > until) return false
      await this.wait(POLL_MS)
    }
  }

  /** Writes down every run that the target tells these tenants of. */
  async look(accesses: readonly TenantAccess[]): Promise<void> {
    this.#parts.signal.throwIfAborted()
    const look = ++this.#look
    for (const access of accesses) {
      for (const run of (await this.target.runs?.(access)) ?? []) {
        this.#parts.write({ t: 'run', act: this.#act, look, tenant: access.label, ...run })
      }
    }
  }

  mark(access: TenantAccess, what: string, value: number): void {
    this.#parts.write({ t: 'mark', act: this.#act, tenant: access.label, what, value, atUs: this.nowUs() })
  }

  async wait(ms: number): Promise<void> {
    const { signal } = this.#parts
    signal.throwIfAborted()
    await new Promise<void>((resolve, reject) => {
      const stop = () => {
        clearTimeout(timer)
        reject(signal.reason)
      }
      const timer = setTimeout(() => {
        signal.removeEventListener('abort', stop)
        resolve()
      }, ms)
      signal.addEventListener('abort', stop, { once: true })
    })
  }

  /** The tenants go, with whatever they still had waiting. */
  async leave(): Promise<void> {
    await Promise.allSettled(this.#tenants.map((access) => this.target.remove(access)))
  }
}
