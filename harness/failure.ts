// The one class of error that a user is meant to read. Its kind chooses the exit code, its stable code stands in the
// message, and `fix` says what to do. Refuses the other two sorts of trouble: what a target answers is a value in the
// journal, and a broken invariant of ours stays a plain Error with its stack.

/** Documented in README.md; a verdict's outcome and a failure's kind are both looked up here. */
export const exitCodes = { pass: 0, fail: 1, usage: 2, inconclusive: 3, environment: 4, interrupted: 130 } as const

export type FailureKind = 'usage' | 'environment' | 'interrupted'

export interface FailureOptions {
  /** What to do about it, as one sentence or command. */
  fix?: string
  cause?: unknown
}

export class Failure extends Error {
  readonly kind: FailureKind
  /** Lower case with hyphens; never changes once published, so that scripts can look for it. */
  readonly code: string
  readonly fix: string | undefined

  constructor(kind: FailureKind, code: string, message: string, options: FailureOptions = {}) {
    // An absent cause stays absent: `cause: undefined` would show up as an own property.
    super(`[${code}] ${message}`, 'cause' in options ? { cause: options.cause } : {})
    this.name = 'Failure'
    this.kind = kind
    this.code = code
    this.fix = options.fix
  }
}
