// The runs that this process has in its slots: each with its deadline and its lease. Refuses to go on with a run whose
// lease could not be prolonged: by then another process may run it, and a cap counts both.

import type { Logger } from 'pino'
import type { Claim, Queue } from '../queue/queue.ts'
import type { TenantId } from '../tenant.ts'

export interface Running {
  claim: Claim
  /** Reasons: `deadline` (timed out), `void` (ended by somebody else), `lease` (not ours any more), `stop`. */
  abort: AbortController
  /** Rejects when the run is given up, whether its step listens or not. */
  gaveUp: Promise<never>
  timer: NodeJS.Timeout
  /** On this process' monotonic clock; counted from before the call, so it is never later than Redis' own. */
  leaseUntil: number
}

export class InFlight {
  readonly #queue: Queue
  readonly #leaseMs: number
  readonly #tickMs: number
  readonly #log: Logger
  readonly #running = new Map<string, Running>()
  #timer: NodeJS.Timeout | null = null
  #renewing = false

  constructor(queue: Queue, leaseMs: number, log: Logger) {
    this.#queue = queue
    this.#leaseMs = leaseMs
    this.#tickMs = Math.max(10, leaseMs / 10)
    this.#log = log
  }

  get size(): number {
    return this.#running.size
  }

  start(): void {
    this.#timer = setInterval(() => this.#tick(), this.#tickMs)
  }

  add(claim: Claim): Running {
    const abort = new AbortController()
    const { promise: gaveUp, reject } = Promise.withResolvers<never>()
    gaveUp.catch(() => {})
    abort.signal.addEventListener('abort', () => reject(new Error(`given up: ${String(abort.signal.reason)}`)))
    // Counted from before the call, so that the step has stopped when Redis gives its place away.
    const leftMs = Math.max(1, claim.maxRunMs - (performance.now() - claim.askedAtMs))
    const timer = setTimeout(() => abort.abort('deadline'), leftMs)
    const running = { claim, abort, gaveUp, timer, leaseUntil: claim.askedAtMs + this.#leaseMs }
    this.#running.set(keyOf(claim), running)
    return running
  }

  remove(running: Running): void {
    clearTimeout(running.timer)
    this.#running.delete(keyOf(running.claim))
  }

  /** Null stands for all runs of the tenant. */
  void(tenant: TenantId, fence: string | null): void {
    if (fence !== null) this.#running.get(`${tenant} ${fence}`)?.abort.abort('void')
    else for (const { claim, abort } of this.#running.values()) if (claim.tenant === tenant) abort.abort('void')
  }

  #tick(): void {
    const now = performance.now()
    for (const running of this.#running.values()) {
      if (now + this.#tickMs > running.leaseUntil) running.abort.abort('lease')
    }
    if (!this.#renewing) void this.#renew(now)
  }

  async #renew(now: number): Promise<void> {
    const old = [...this.#running.values()].filter(({ leaseUntil }) => leaseUntil - now < 0.7 * this.#leaseMs)
    if (old.length === 0) return
    this.#renewing = true
    try {
      const gone = new Set(await this.#queue.renew(old.map(({ claim }) => claim)))
      for (const running of old) {
        if (gone.has(running.claim)) running.abort.abort('void')
        else running.leaseUntil = now + this.#leaseMs
      }
    } catch (error) {
      this.#log.debug({ err: error }, 'leases could not be prolonged; the next tick tries again')
    }
    this.#renewing = false
  }

  stop(): void {
    if (this.#timer) clearInterval(this.#timer)
    for (const { abort } of this.#running.values()) abort.abort('stop')
  }
}

const keyOf = ({ tenant, fence }: Claim): string => `${tenant} ${fence}`
