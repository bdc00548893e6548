// Remembers until when a tenant is over a limit, so that its further starts are refused before their body is parsed and
// without a question to Redis. Refuses to be the limit itself: it only repeats what admission said, for as long as it holds.

import { EngineError } from '../errors.ts'
import type { TenantId } from '../tenant.ts'

type Code = 'rate-limited' | 'queue-full'

/** Another process may have raised the limit: the answer is asked for again at least this often. */
const REPEATED_MS_MAX = 1000
/** A queue drains at any moment; this is how long the refusal is repeated unasked. */
const QUEUE_FULL_MS = 50

export class Brake {
  readonly #blocked = new Map<TenantId, { code: Code; repeatUntil: number; freeAt: number }>()

  note(tenant: TenantId, code: Code, retryAfterMs: number): void {
    const now = performance.now()
    const repeated = code === 'queue-full' ? QUEUE_FULL_MS : Math.min(retryAfterMs, REPEATED_MS_MAX)
    this.#blocked.set(tenant, { code, repeatUntil: now + repeated, freeAt: now + retryAfterMs })
  }

  /** The refusal that still holds, with what is left of its wait. */
  refusal(tenant: TenantId): EngineError | null {
    const blocked = this.#blocked.get(tenant)
    if (!blocked) return null
    const now = performance.now()
    if (now >= blocked.repeatUntil) {
      this.#blocked.delete(tenant)
      return null
    }
    return new EngineError(blocked.code, undefined, { retryAfterMs: Math.max(1, Math.ceil(blocked.freeAt - now)) })
  }

  release(tenant: TenantId): void {
    this.#blocked.delete(tenant)
  }
}
