// The catalogue of everything that the engine can refuse: code, HTTP status, meaning. No code is spelled elsewhere.
// Refuses to carry what a tenant must not learn: a message never holds another tenant's id or a token.

export const catalogue = {
  'request-invalid': { status: 400, title: 'The request is not what this route takes' },
  'tenant-id-invalid': { status: 400, title: 'Not a tenant id' },
  'workflow-invalid': { status: 400, title: 'Not a workflow definition' },
  'credentials-missing': { status: 401, title: 'A bearer token is needed' },
  'credentials-invalid': { status: 401, title: 'The bearer token is not valid' },
  'tenant-mismatch': { status: 403, title: 'x-tenant-id does not agree with the token' },
  'tenant-suspended': { status: 403, title: 'The tenant is suspended' },
  'tenant-unknown': { status: 404, title: 'No such tenant' },
  'workflow-unknown': { status: 404, title: 'No such workflow' },
  'run-unknown': { status: 404, title: 'No such run' },
  'route-unknown': { status: 404, title: 'No such route' },
  'tenant-exists': { status: 409, title: 'The tenant exists already' },
  'idempotency-conflict': { status: 409, title: 'The idempotency key was used for another start' },
  'payload-too-large': { status: 413, title: 'The payload is larger than the limit' },
  'media-type-unsupported': { status: 415, title: 'Send application/json' },
  'rate-limited': { status: 429, title: 'Too many starts in 60 seconds' },
  'queue-full': { status: 429, title: 'Too many runs are waiting' },
  'internal-error': { status: 500, title: 'The engine failed' },
  'store-unavailable': { status: 503, title: 'Redis cannot be reached' },
} as const satisfies Record<string, { status: number; title: string }>

export type ErrorCode = keyof typeof catalogue

export class EngineError extends Error {
  readonly code: ErrorCode
  readonly detail: string | undefined
  /** Milliseconds until the same request may succeed; only for codes with status 429. */
  readonly retryAfterMs: number | undefined

  constructor(code: ErrorCode, detail?: string, options: { retryAfterMs?: number; cause?: unknown } = {}) {
    super(`${code}: ${detail ?? catalogue[code].title}`, { cause: options.cause })
    this.code = code
    this.detail = detail
    this.retryAfterMs = options.retryAfterMs
  }
}

/** A process that cannot start says one sentence and ends with a designed code: 2 configuration, 4 environment. */
export class StartError extends Error {
  readonly exitCode: 2 | 4

  constructor(exitCode: 2 | 4, message: string, cause?: unknown) {
    super(message, { cause })
    this.exitCode = exitCode
  }
}
