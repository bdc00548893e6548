// The worker: claims runs while it has free slots, runs their steps, reports their outcome. Refuses to be a second
// scheduler: whose turn it is, and whether an outcome counts, is the queue's to say.

import { AsyncLocalStorage } from 'node:async_hooks'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Logger } from 'pino'
import type { Claim, Queue } from '../queue/queue.ts'
import { runStep, runSteps, type StepRunner } from '../steps/steps.ts'
import type { TenantId } from '../tenant.ts'
import { type Outcome, parseInput, type Used } from '../workflow.ts'
import { Definitions } from './definitions.ts'
import { InFlight, type Running } from './in-flight.ts'

export interface WorkerOptions {
  slots: number
  log: Logger
  leaseMs: number
  /** Told of every step's start and end; for an independent log. */
  witness?: StepWitness
  runStep?: StepRunner
  /** Wraps everything that is done for one run: the place for a context. */
  around?: (claim: Claim, work: () => Promise<void>) => Promise<void>
}

/** One call a run: its steps begin; they end, or are given up. */
export interface StepWitness {
  started(claim: Claim): void
  ended(claim: Claim): void
}

const AUDIT_EVERY_MS = 50
/** While one batch is asked for, the one before it runs: asking and running take about the same time when runs are short. */
const LANES = 2
/** A batch is large from this part of the slots on. */
const LARGE_BATCH = 4
const RETRY_AFTER_MS = 100

const BACKOFF_MS_MAX = 24 * 3600 * 1000

/** Null when there is nobody to be told: the run is somebody else's by now, or will be when its lease ends. */
function afterAbort(reason: unknown, bill: { used?: Used }): Outcome | null {
  if (reason === 'deadline') return { status: 'timed-out', error: 'the run took longer than maxRunMs', ...bill }
  return reason === 'void' ? { status: 'given-up' } : null
}

export class Worker {
  readonly #queue: Queue
  readonly #options: WorkerOptions
  readonly #inFlight: InFlight
  readonly #definitions = new Definitions()
  /** The loop may be started in the midst of one tenant's request; what it does is not that tenant's. */
  readonly #outside = AsyncLocalStorage.snapshot()
  #lanes = 0
  /** Slots that a lane has asked the queue to fill, and has no answer yet. */
  #asked = 0
  /** Whether other tenants were ready beside those of the last call: one alone has one turn, and one lane takes all of it. */
  #others = false
  /** Runs that the last call brought. */
  #batch = 0
  #wanted = false
  #stopped = false
  #drained: (() => void) | null = null
  #auditTimer: NodeJS.Timeout | null = null
  #auditing = false

  constructor(queue: Queue, options: WorkerOptions) {
    this.#queue = queue
    this.#options = options
    this.#inFlight = new InFlight(queue, options.leaseMs, options.log)
  }

  start(): void {
    this.#queue.onWork(() => this.#kick())
    this.#queue.onVoid((tenant, fence) => this.#inFlight.void(tenant, fence))
    this.#inFlight.start()
    this.#auditTimer = setInterval(() => void this.#audit(), AUDIT_EVERY_MS)
  }

  get #free(): number {
    return this.#stopped ? 0 : this.#options.slots - this.#inFlight.size
  }

  #kick(): boolean {
    this.#wanted = true
    this.#outside(() => this.#open())
    return this.#free > 0
  }

  /**
   * A second lane only while half of the slots have nothing to do: a tenant has one turn at a time, so where slots are
   * scarce a lane would give to others what is due to the one whose turn it is. And only where a batch is large: a trickle
   * costs each of its runs a call, and two lanes would make that two.
   */
  #open(): void {
    if (this.#lanes === 0 && this.#hasRoom) void this.#lane()
    const { slots } = this.#options
    const plenty = () => this.#others && 2 * (this.#free - this.#asked) >= slots && LARGE_BATCH * this.#batch >= slots
    while (this.#lanes < LANES && this.#hasRoom && plenty()) void this.#lane()
  }

  /** What one lane asks for at most. */
  get #share(): number {
    const { slots } = this.#options
    return this.#others ? Math.ceil(slots / LANES) : slots
  }

  get #hasRoom(): boolean {
    return this.#wanted && this.#free > this.#asked
  }

  async #lane(): Promise<void> {
    this.#lanes++
    while (this.#hasRoom) {
      this.#wanted = false
      const asked = Math.min(this.#free - this.#asked, this.#share)
      this.#asked += asked
      try {
        const { claims, again, others = true } = await this.#queue.next(asked)
        this.#asked -= asked
        this.#others = others
        this.#batch = claims.length
        for (const claim of claims) this.#begin(claim)
        if (again) this.#wanted = true
        this.#open()
        // Runs that need no waiting end in this turn of the loop: asked after it, the next batch is not a batch of one.
        if (claims.length > 0) await nextTurn()
      } catch (error) {
        this.#asked -= asked
        this.#options.log.warn({ err: error }, 'claiming failed; trying again')
        await new Promise((resolve) => setTimeout(resolve, RETRY_AFTER_MS))
        this.#wanted = true
      }
    }
    this.#lanes--
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

  /** Its slot is taken at once. Each run of a batch begins by itself, so that its slot time is not that of the others. */
  #begin(claim: Claim): void {
    const running = this.#inFlight.add(claim)
    setImmediate(() => void this.#run(running))
  }

  async #run(running: Running): Promise<void> {
    const { claim } = running
    const work = async () => {
      const from = performance.now()
      const outcome = await this.#outcomeOf(running)
      if (outcome !== null) outcome.tookMs = performance.now() - from
      // The slot is free from here on; the cap of the tenant only when its outcome has been told.
      this.#inFlight.remove(running)
      const told = outcome === null ? null : this.#report(running, outcome)
      this.#kick()
      await told
    }
    await (this.#options.around ? this.#options.around(claim, work) : work())
    this.#sayDrained()
  }

  /** Null when the run is no longer ours to end. */
  async #outcomeOf({ claim, abort, gaveUp }: Running): Promise<Outcome | null> {
    const definition = this.#definitions.of(claim.definition)
    if (definition === null) return { status: 'failed', error: 'the workflow has no definition' }
    const input = parseInput(claim.inputText)
    if (input === null) return { status: 'failed', error: 'the input is not JSON' }
    let used: Used | undefined
    const { tenant, entryId, attempt } = claim
    const context = {
      input: input.value,
      signal: abort.signal,
      seed: `${tenant}/${entryId}`,
      attempt,
      use({ tokens = 0, toolCalls = 0 }: Used) {
        used = { tokens: (used?.tokens ?? 0) + tokens, toolCalls: (used?.toolCalls ?? 0) + toolCalls }
      },
    }
    const bill = () => (used === undefined ? {} : { used })
    this.#options.witness?.started(claim)
    try {
      const steps = runSteps(definition.steps, context, this.#options.runStep ?? runStep)
      // A step that ignores its signal keeps neither the slot nor the run.
      const output = await Promise.race([steps, gaveUp])
      return { status: 'done', output, ...bill() }
    } catch (error) {
      if (abort.signal.aborted) return afterAbort(abort.signal.reason, bill())
      const said = error instanceof Error ? error.message : String(error)
      const { retry } = definition
      if (retry === undefined) return { status: 'failed', error: said, ...bill() }
      const afterMs = Math.min(retry.backoffMs * 2 ** (attempt - 1), BACKOFF_MS_MAX)
      return { status: 'retry', error: said, attemptsMax: retry.attempts, afterMs, ...bill() }
    } finally {
      this.#options.witness?.ended(claim)
    }
  }

  /** An outcome that cannot be told is told again until its lease is over; after it the run is somebody else's. */
  async #report(running: Running, outcome: Outcome): Promise<void> {
    const { claim } = running
    for (;;) {
      try {
        const counted = await this.#queue.complete(claim, outcome)
        if (!counted && outcome.status !== 'given-up')
          this.#options.log.info({ tenant: claim.tenant, entry: claim.entryId }, 'a late outcome was ignored')
        return
      } catch (error) {
        if (this.#stopped || performance.now() > running.leaseUntil) {
          this.#options.log.warn({ err: error, tenant: claim.tenant }, 'an outcome could not be told')
          return
        }
        await new Promise((resolve) => setTimeout(resolve, RETRY_AFTER_MS))
      }
    }
  }

  /** A removed tenant's steps end now; their outcome no longer counts. */
  abort(tenant: TenantId): void {
    this.#inFlight.void(tenant, null)
  }

  #sayDrained(): void {
    if (this.#stopped && this.#inFlight.size === 0 && this.#lanes === 0) this.#drained?.()
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
    this.#inFlight.stop()
  }
}
