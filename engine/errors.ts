// The catalogue of everything that the engine can refuse: code, HTTP status, meaning, and what the caller can do. No code
// is spelled elsewhere. Refuses to carry what a tenant must not learn: a message never holds another tenant's id or a token.

export interface CatalogueEntry {
  status: number
  title: string
  /** What the caller can do about it. */
  mend: string
}

const ADMIN = 'Use the admin token that the engine was started with, or the token that the tenant was created with.'
const SAME = 'Unknown and foreign ids answer alike. Look the id up in your own list.'

export const catalogue = {
  'request-invalid': {
    status: 400,
    title: 'The request is not what this route takes',
    mend: 'The detail names every field that is wrong. Compare the request with /openapi.json.',
  },
  'request-malformed': {
    status: 400,
    title: 'The request is not HTTP, or its body is not JSON',
    mend: 'Send one JSON document in UTF-8: no member twice, at most 64 levels deep, nothing missing at its end.',
  },
  'cursor-invalid': {
    status: 400,
    title: 'Not a cursor or event id of this tenant',
    mend: 'Begin again without it, or send what this tenant was given, unchanged.',
  },
  'tenant-id-invalid': {
    status: 400,
    title: 'Not a tenant id',
    mend: 'An id is 1 to 64 of a-z, 0-9 and -, and not a reserved name. It is never repaired.',
  },
  'workflow-invalid': {
    status: 400,
    title: 'Not a workflow definition',
    mend: 'The detail names what is wrong. Names are 1 to 64 of a-z, A-Z, 0-9, _ and -.',
  },
  'credentials-missing': {
    status: 401,
    title: 'A bearer token is needed',
    mend: 'Send one header `Authorization: Bearer TOKEN`.',
  },
  'credentials-invalid': { status: 401, title: 'The bearer token is not valid', mend: ADMIN },
  'tenant-mismatch': {
    status: 403,
    title: 'x-tenant-id does not agree with the token',
    mend: 'Send the one header `x-tenant-id` with the id of the tenant that the token belongs to.',
  },
  'tenant-suspended': {
    status: 403,
    title: 'The tenant is suspended',
    mend: 'It can read; it starts nothing until the administrator resumes it.',
  },
  'tenant-unknown': { status: 404, title: 'No such tenant', mend: 'Create it with POST /v1/tenants.' },
  'workflow-unknown': { status: 404, title: 'No such workflow', mend: 'Define it with PUT /v1/workflows/{name}.' },
  'run-unknown': { status: 404, title: 'No such run', mend: SAME },
  'dead-letter-unknown': { status: 404, title: 'No such dead letter', mend: SAME },
  'route-unknown': { status: 404, title: 'No such route', mend: 'The routes are in /openapi.json.' },
  'method-unsupported': {
    status: 405,
    title: 'The route does not take this method',
    mend: 'The header `allow` names those it takes.',
  },
  'request-timeout': {
    status: 408,
    title: 'The request took too long to arrive',
    mend: 'Send headers and body at once, then wait.',
  },
  'tenant-exists': {
    status: 409,
    title: 'The tenant exists already',
    mend: 'Change it with PATCH /v1/tenants/{id}, or choose another id.',
  },
  'idempotency-conflict': {
    status: 409,
    title: 'The idempotency key was used for another start',
    mend: 'A key stands for one workflow and one input. Choose a new key for a new start.',
  },
  'run-finished': {
    status: 409,
    title: 'The run has ended',
    mend: 'There is nothing left to cancel; GET /v1/runs/{id} says how it ended.',
  },
  'dead-letter-unfit': {
    status: 409,
    title: 'The dead letter would only die again',
    mend: 'The detail says of what. Mend the cause (define the workflow, raise the limit), then redrive.',
  },
  'workflows-full': {
    status: 409,
    title: 'The tenant has as many workflows as it may have',
    mend: 'Define an existing name again.',
  },
  'payload-too-large': {
    status: 413,
    title: 'The payload is larger than the limit',
    mend: 'Send at most what the detail says. For the input of a run it is the limit maxPayloadBytes, which can be raised.',
  },
  'media-type-unsupported': {
    status: 415,
    title: 'Send application/json',
    mend: 'Set content-type: application/json.',
  },
  'expectation-unsupported': {
    status: 417,
    title: 'The header expect asks for what is not offered',
    mend: 'Leave it out, or send `Expect: 100-continue`.',
  },
  'rate-limited': {
    status: 429,
    title: 'Too many starts in 60 seconds',
    mend: 'Wait for retryAfterMs, which is exact, or as many seconds as the header Retry-After says.',
  },
  'queue-full': {
    status: 429,
    title: 'Too many runs are waiting',
    mend: 'Wait for runs to end (retryAfterMs is a guess), or have the limits maxQueued or concurrentRuns raised.',
  },
  'watchers-full': {
    status: 429,
    title: 'Too many clients watch the events of this tenant',
    mend: 'Share one connection, or close one.',
  },
  'exports-full': {
    status: 429,
    title: 'An export of this tenant is under way',
    mend: 'Read it to its end, or close its connection. The tenant and the administrator may each have one at a time.',
  },
  'headers-too-large': { status: 431, title: 'The headers are too large', mend: 'Send at most 16 KiB of headers.' },
  'internal-error': {
    status: 500,
    title: 'The engine failed',
    mend: 'A fault of the engine: its log has the cause. Whether the request took effect is not known.',
  },
  'store-unavailable': {
    status: 503,
    title: 'Redis cannot be reached, or does not serve at the moment',
    mend: 'Try again, starts with the same Idempotency-Key. Whether the request took effect is not known.',
  },
  'store-full': {
    status: 503,
    title: 'Redis has no memory left',
    mend: 'Nothing can be started or changed until it has: raise its maxmemory, or remove what is not needed.',
  },
  'engine-draining': {
    status: 503,
    title: 'The process is about to end and takes no more starts',
    mend: 'Try again: another process, or the one that follows, takes it. Nothing was started.',
  },
} as const satisfies Record<string, CatalogueEntry>

export type ErrorCode = keyof typeof catalogue

export class EngineError extends Error {
  readonly code: ErrorCode
  readonly detail: string | undefined
  /** Milliseconds until the same request may succeed; always and only with status 429 and 503. Exact for `rate-limited`. */
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
