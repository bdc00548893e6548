// The worker: claims runs while it has free slots, runs their steps, reports their outcome. Refuses to be a second
// scheduler: whose turn it is, and whether an outcome counts, is the queue's to say.

import type { Logger } from 'pino'
import { z } from 'zod'
import type { Claim, Queue } from '../queue/queue.ts'
import { runSteps as realSteps } from '../steps/steps.ts'
import type { TenantId } from '../tenant.ts'
import { definitionSchema, type Outcome, parseInput, type Step } from '../workflow.ts'

export interface WorkerOptions {
  slots: number
  log: Logger
  /** Told of every step's start and end; for an independent log. */
  witness?: StepWitness
}

export interface StepWitness {
  started(tenant: TenantId, entryId: string): void
  ended(tenant: TenantId, entryId: string): void
}

const AUDIT_EVERY_MS = 50
const RETRY_AFTER_MS = 100
const DEFINITIONS_KEPT = 1000

const timedOut: Outcome = { status: 'timed-out', error: 'the run took longer than maxRunMs' }

const definitionText = z
  .string()
  .transform((text) => parseInput(text)?.value)
  .pipe(definitionSchema)

export class Worker {
  readonly #queue: Queue
  readonly #options: WorkerOptions
  readonly #running = new Map<Claim, AbortController>()
  readonly #definitions = new Map<string, readonly Step[] | null>()
  #looping = false
  #wanted = false
  #stopped = false
  #drained: (() => void) | null = null
  #auditTimer: NodeJS.Timeout | null = null
  #auditing = false

  constructor(queue: Queue, options: WorkerOptions) {
    this.#queue = queue
    this.#options = options
  }

  start(): void {
    this.#queue.onWork(() => this.#kick())
    this.#auditTimer = setInterval(() => void this.#audit(), AUDIT_EVERY_MS)
  }

  #kick(): void {
    this.#wanted = true
    if (!this.#looping && !this.#stopped) void this.#loop()
  }

  async #loop(): Promise<void> {
    this.#looping = true
    while (this.#wanted && !this.#stopped) {
      const free = this.#options.slots - this.#running.size
      // The end of a run kicks again.
      if (free <= 0) break
      this.#wanted = false
      try {
        const { claims, again } = await this.#queue.next(free)
        if (again) this.#wanted = true
        for (const claim of claims) void this.#run(claim)
      } catch (error) {
        this.#options.log.warn({ err: error }, 'claiming failed; trying again')
        await new Promise((resolve) => setTimeout(resolve, RETRY_AFTER_MS))
        this.#wanted = true
      }
    }
    this.#looping = false
    this.#sayDrained()
  }

  async #audit(): Promise<void> {
    if (this.#auditing) return
    this.#auditing = true
    try {
      await this.#queue.audit()
    } catch (error) {
      this.#options.log.debug({ err: error }, 'audit failed; the next tick tries again')
    }
    this.#auditing = false
  }

  async #run(claim: Claim): Promise<void> {
    const abort = new AbortController()
    this.#running.set(claim, abort)
    const deadline = performance.now() + claim.maxRunMs
    const timer = setTimeout(() => abort.abort(timedOut), claim.maxRunMs)
    const outcome = await this.#outcomeOf(claim, abort.signal)
    clearTimeout(timer)
    await this.#report(claim, outcome, deadline)
    this.#running.delete(claim)
    this.#kick()
    this.#sayDrained()
  }

  async #outcomeOf(claim: Claim, signal: AbortSignal): Promise<Outcome> {
    const { tenant, entryId } = claim
    const steps = this.#stepsOf(claim.definition)
    if (steps === null) return { status: 'failed', error: 'the workflow has no definition' }
    const input = parseInput(claim.inputText)
    if (input === null) return { status: 'failed', error: 'the input is not JSON' }
    this.#options.witness?.started(tenant, entryId)
    try {
      return { status: 'done', output: await realSteps(steps, input.value, signal) }
    } catch (error) {
      if (signal.aborted) return timedOut
      return { status: 'failed', error: error instanceof Error ? error.message : String(error) }
    } finally {
      this.#options.witness?.ended(tenant, entryId)
    }
  }

  /** Kept by their text: a definition is parsed once, not once a run. */
  #stepsOf(text: string): readonly Step[] | null {
    const known = this.#definitions.get(text)
    if (known !== undefined) return known
    const steps = definitionText.safeParse(text).data?.steps ?? null
    if (this.#definitions.size >= DEFINITIONS_KEPT) this.#definitions.clear()
    this.#definitions.set(text, steps)
    return steps
  }

  /** An outcome that cannot be told is told again until its deadline; after it Redis would ignore it anyway. */
  async #report(claim: Claim, outcome: Outcome, deadline: number): Promise<void> {
    for (;;) {
      try {
        const counted = await this.#queue.complete(claim, outcome)
        if (!counted)
          this.#options.log.info({ tenant: claim.tenant, entry: claim.entryId }, 'a late outcome was ignored')
        return
      } catch (error) {
        if (this.#stopped || performance.now() > deadline) {
          this.#options.log.warn({ err: error, tenant: claim.tenant }, 'an outcome could not be told')
          return
        }
        await new Promise((resolve) => setTimeout(resolve, RETRY_AFTER_MS))
      }
    }
  }

  /** A removed tenant's steps end now; their outcome no longer counts. */
  abort(tenant: TenantId): void {
    for (const [claim, abort] of this.#running) if (claim.tenant === tenant) abort.abort()
  }

  #sayDrained(): void {
    if (this.#stopped && this.#running.size === 0 && !this.#looping) this.#drained?.()
  }

  /** Stops claiming and waits for running steps, at most `graceMs`; what still runs is then aborted and left to a reaper. */
  async stop(graceMs: number): Promise<void> {
    this.#stopped = true
    if (this.#auditTimer) clearInterval(this.#auditTimer)
    const drained = new Promise<void>((resolve) => {
      this.#drained = resolve
    })
    this.#sayDrained()
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, graceMs)
    })
    await Promise.race([drained, late])
    clearTimeout(timer)
    for (const abort of this.#running.values()) abort.abort()
  }
}
