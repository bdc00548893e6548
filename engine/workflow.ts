// What a workflow is, what a run is, and the ids of runs. A run's record is a JSON head that the functions move on, beside
// its input, which they never read. Refuses unknown steps.

import { z } from 'zod'
import type { TenantId } from './tenant.ts'
import { isTenantId } from './tenant.ts'

const MS_MAX = 3_600_000

export const stepSchema = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('sleep'), ms: z.number().int().min(0).max(MS_MAX) }),
  /** Its output is the run's input. */
  z.strictObject({ type: z.literal('echo') }),
  /** Burns CPU for this long, in a thread of its own. */
  z.strictObject({ type: z.literal('compute'), ms: z.number().int().min(0).max(MS_MAX) }),
  /** A stub: takes so long, declares so many tokens, fails so often (drawn from the seed and the attempt). */
  z.strictObject({
    type: z.literal('model'),
    ms: z.number().int().min(0).max(MS_MAX),
    tokens: z.number().int().min(0).max(10_000_000).default(0),
    failureRate: z.number().min(0).max(1).default(0),
    seed: z.number().int().min(0).max(0xffff_ffff).default(0),
  }),
])
export type Step = z.infer<typeof stepSchema>

const retrySchema = z.strictObject({
  /** Attempts in all; a run whose last one fails is a dead letter. */
  attempts: z.number().int().min(1).max(20),
  /** Before the second attempt; doubled before each further one. */
  backoffMs: z.number().int().min(0).max(MS_MAX).default(1000),
})

export const definitionSchema = z.strictObject({
  steps: z.array(stepSchema).min(1).max(64),
  /** Left out, a run that fails has failed. */
  retry: retrySchema.optional(),
})
export type Definition = z.infer<typeof definitionSchema>

const NAME = /^[a-zA-Z0-9_-]{1,64}$/
export const workflowName = z.string().regex(NAME, 'a name is 1 to 64 of a-z, A-Z, 0-9, _ and -')
export const isWorkflowName = (text: unknown): text is string => typeof text === 'string' && NAME.test(text)

interface RunBase {
  id: string
  workflow: string
  source: 'api' | 'stream' | 'redrive'
  queuedAt: number
  /** From 1; the one that runs, waits or was the last. */
  attempt: number
  /** The idempotency key of its start. */
  key?: string | undefined
  input: unknown
}

export type Run = RunBase &
  (
    | { status: 'queued' }
    | { status: 'running'; startedAt: number }
    | { status: 'done'; startedAt: number; endedAt: number; output: unknown }
    | { status: 'failed'; startedAt: number; endedAt: number; error: string }
    | { status: 'timed-out'; startedAt: number; endedAt: number; error: string }
    /** These two without `startedAt` when it had not begun. */
    | { status: 'dead'; startedAt?: number | undefined; endedAt: number; error: string }
    | { status: 'cancelled'; startedAt?: number | undefined; endedAt: number; error: string }
  )

/** What steps declare to have used, for the bill. */
export interface Used {
  tokens?: number
  toolCalls?: number
}

/** `tookMs`: time in the slot, on the worker's monotonic clock; left out, Redis takes what it saw pass. */
export type Outcome = { used?: Used; tookMs?: number } & (
  | { status: 'done'; output: unknown }
  | { status: 'failed'; error: string }
  | { status: 'timed-out'; error: string }
  /** Somebody else ended it while it ran; it has stopped, and its place is free. */
  | { status: 'given-up' }
  /** Failed, and to be tried again if it was tried less often than this; else it is a dead letter. */
  | { status: 'retry'; error: string; attemptsMax: number; afterMs: number }
)

export const runIdOf = (tenant: TenantId, entryId: string): string => `run_${tenant}_${entryId}`

/** Redis keeps both halves of an entry's id in 64 bits, and answers a larger one with an error. */
const HALF_MAX = 2n ** 64n - 1n
export const fitsHalf = (digits: string): boolean => /^\d{1,20}$/.test(digits) && BigInt(digits) <= HALF_MAX

/** As Redis writes one: no zero in front, so that an entry has one id and no other. */
export const isEntryId = (text: string): boolean =>
  /^(0|[1-9]\d*)-(0|[1-9]\d*)$/.test(text) && text.split('-').every(fitsHalf)

/** The owner is part of the id, so that asking who owns a run needs no look into anybody's data. */
export function parseRunId(text: string): { owner: TenantId; entryId: string } | null {
  const [, owner, entryId = ''] = /^run_([a-z0-9-]{1,64})_([\d-]{3,41})$/.exec(text) ?? []
  return isTenantId(owner) && isEntryId(entryId) ? { owner, entryId } : null
}

const base = {
  workflow: z.string(),
  source: z.enum(['api', 'stream', 'redrive']),
  queuedAt: z.number(),
  attempt: z.number(),
  key: z.string().optional(),
}
const ended = { ...base, startedAt: z.number(), endedAt: z.number() }
const head = z.discriminatedUnion('status', [
  z.object({ status: z.literal('queued'), ...base }),
  z.object({ status: z.literal('running'), ...base, startedAt: z.number() }),
  z.object({ status: z.literal('done'), ...ended, output: z.unknown() }),
  z.object({ status: z.literal('failed'), ...ended, error: z.string() }),
  z.object({ status: z.literal('timed-out'), ...ended, error: z.string() }),
  z.object({ status: z.literal('dead'), ...ended, startedAt: z.number().optional(), error: z.string() }),
  z.object({ status: z.literal('cancelled'), ...ended, startedAt: z.number().optional(), error: z.string() }),
])

/** Reads a record as the functions write it: the head, and the input as it came, which a direct writer may have spoilt. */
export function parseRecord(tenant: TenantId, entryId: string, headText: string, inputText: string | null): Run {
  const input = parseInput(inputText ?? 'null')?.value ?? null
  return { id: runIdOf(tenant, entryId), input, ...head.parse(JSON.parse(headText)) }
}

/** Null when the text is not JSON: a direct writer may have sent anything. */
export function parseInput(text: string): { value: unknown } | null {
  try {
    return { value: JSON.parse(text) as unknown }
  } catch {
    return null
  }
}
