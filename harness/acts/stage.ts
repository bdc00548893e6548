// Where an act plays: makes its tenants, starts their runs, looks at what became of them, and writes all of it down.
// Through the port only. Refuses to judge.

import type { ActExport, ActLine } from '../evidence/acts.ts'
import type { Answered, Caller } from '../target/caller.ts'
import type { Capability, PlannedWorkflow, Target, TenantAccess } from '../target/port.ts'
import { type Entry, writeEntries } from '../target/stream-writer.ts'
import type { CanaryBook } from '../tenants/canary-book.ts'

export interface Act {
  name: string
  /** Plays beside the others, since it mostly waits. */
  beside?: boolean
  /** Runs that the target has to work at the same time, at least. */
  slots?: number
  needs: readonly Capability[]
  play(stage: Stage): Promise<void>
}

export interface Role {
  stepMs?: number
  startsPerMinute?: number
  concurrentRuns?: number
  maxRunMs?: number
  weight?: number
  maxPayloadBytes?: number
  workflows?: PlannedWorkflow[]
}

export interface StageParts {
  target: Target
  caller: Caller
  /** Ends ids, so that two runs on one Redis do not meet. */
  tag: string
  nowUs(): number
  canaries: CanaryBook
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
  /** Runs whose canary was written down when they were admitted. */
  readonly #registered: Array<{ access: TenantAccess; id: string; digest: string }> = []
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
    const { workflows = [], maxPayloadBytes } = role
    const id = `${this.#act}-${label}${this.#parts.tag}`
    const payload = maxPayloadBytes === undefined ? {} : { maxPayloadBytes }
    const limits = { startsPerMinute, concurrentRuns, maxRunMs, ...payload }
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
    return (await this.#send(access, workflow, this.#canaryOf(access))).status
  }

  /** A start whose canary, once it was admitted, the target is known to hold. */
  async startRegistered(access: TenantAccess): Promise<void> {
    const canary = this.#canaryOf(access)
    const { status, id, answeredUs } = await this.#send(access, 'work', canary)
    if (status < 200 || status >= 300 || id === null) return
    const digest = this.#parts.canaries.digestOf(canary)
    this.#registered.push({ access, id, digest })
    this.#register(access, digest, 'run', 1, answeredUs)
  }

  /** A start with a body of so many bytes. */
  async startSized(access: TenantAccess, bytes: number): Promise<number> {
    const rest = (access.start?.body ?? '').replaceAll('{{canary}}', '').length
    const fill = this.#canaryOf(access).padEnd(bytes - rest, 'x')
    return (await this.#send(access, 'work', fill, bytes)).status
  }

  #canaryOf(access: TenantAccess): string {
    return this.#parts.canaries.fresh(this.#ownerOf(access.label))
  }

  /** Acts may have tenants with the same label. */
  #ownerOf(label: string): string {
    return `${this.#act}/${label}`
  }

  #register(access: TenantAccess, digest: string, of: 'run' | 'malformed entry', copies: number, atUs: number): void {
    const at = Math.ceil(atUs)
    this.#parts.write({ t: 'canary', act: this.#act, tenant: access.label, digest, of, copies, atUs: at })
  }

  async #send(access: TenantAccess, workflow: string, canary: string, bytes?: number): Promise<Answered> {
    this.#parts.signal.throwIfAborted()
    const call = workflow === 'work' ? access.start : access.starts?.[workflow]
    if (!call) throw new Error(`no start of the workflow ${workflow} is known`)
    const body = call.body?.replaceAll('{{canary}}', canary)
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
      ...(bytes === undefined ? {} : { bytes }),
      leftUs,
      answeredUs,
    })
    return answer
  }

  /** Entries straight into the tenant's stream, each field with a canary of its own. @returns how many were taken */
  async write(access: TenantAccess, entries: readonly Entry[]): Promise<number> {
    return await this.#write(access, entries, () => this.#canaryOf(access))
  }

  /** The same with a canary that is padded to so many bytes. */
  async writeSized(access: TenantAccess, entries: readonly Entry[], bytes: number): Promise<number> {
    return await this.#write(access, entries, () => this.#canaryOf(access).padEnd(bytes, 'x'))
  }

  /** Entries of which no run can come, and whose canaries the target is known to hold. */
  async writeRegistered(access: TenantAccess, entries: readonly Entry[]): Promise<void> {
    const canaries: string[] = []
    const taken = await this.#write(access, entries, () => {
      const canary = this.#canaryOf(access)
      canaries.push(canary)
      return canary
    })
    if (taken !== entries.length) throw new Error(`${entries.length - taken} entries could not be written`)
    const atUs = this.nowUs()
    for (const canary of canaries) {
      this.#register(access, this.#parts.canaries.digestOf(canary), 'malformed entry', 1, atUs)
    }
  }

  async #write(access: TenantAccess, entries: readonly Entry[], fresh: () => string): Promise<number> {
    this.#parts.signal.throwIfAborted()
    const { stream } = access
    if (!stream) throw new Error(`${access.label} has no stream to write into`)
    const filled = entries.map((entry) => {
      return Object.fromEntries(
        Object.entries(entry).map(([name, text]) => {
          return [name, text.includes('{{canary}}') ? text.replaceAll('{{canary}}', fresh()) : text]
        }),
      )
    })
    return await writeEntries(stream, filled)
  }

  /** Reads the registered runs, and writes down how often the target shows their owners each canary. */
  async readRegistered(): Promise<void> {
    for (const { access, id, digest } of this.#registered) {
      if (!access.read) continue
      const path = access.read.path.replaceAll('{id}', encodeURIComponent(id))
      const { text, answeredUs } = await this.#parts.caller.read(access.origin, { ...access.read, path })
      const copies = this.#parts.canaries.find(text).filter((sighting) => sighting.digest === digest).length
      if (copies > 0) this.#register(access, digest, 'run', copies, answeredUs)
    }
  }

  /** Asks for all that is the tenant's, and writes down whose canaries came. */
  async export(access: TenantAccess): Promise<void> {
    this.#parts.signal.throwIfAborted()
    if (!access.export) throw new Error(`${access.label} has no export`)
    const { status, text, leftUs, answeredUs } = await this.#parts.caller.read(access.origin, access.export)
    const own = new Map<string, number>()
    const foreign: ActExport['foreign'] = []
    for (const { owner, digest, encoding } of this.#parts.canaries.find(text)) {
      if (owner === this.#ownerOf(access.label)) own.set(digest, (own.get(digest) ?? 0) + 1)
      else foreign.push({ owner: owner.replace(`${this.#act}/`, ''), digest, encoding })
    }
    this.#parts.write({
      t: 'export',
      act: this.#act,
      tenant: access.label,
      status,
      leftUs: Math.floor(leftUs),
      answeredUs: Math.ceil(answeredUs),
      bytes: Buffer.byteLength(text),
      own: [...own],
      foreign,
    })
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
