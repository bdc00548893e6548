// What a workflow is, what a run is, and the ids of runs. A run's record is kept as two JSON texts, the part that changes
// and the part that does not, so that a Lua function can move it on without reading an input. Refuses unknown steps.

import { z } from 'zod'
import type { TenantId } from './tenant.ts'
import { isTenantId } from './tenant.ts'

export const stepSchema = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('sleep'), ms: z.number().int().min(0).max(3_600_000) }),
  z.strictObject({ type: z.literal('echo') }),
])
export type Step = z.infer<typeof stepSchema>

export const definitionSchema = z.strictObject({ steps: z.array(stepSchema).min(1).max(64) })
export type Definition = z.infer<typeof definitionSchema>

const NAME = /^[a-zA-Z0-9_-]{1,64}$/
export const workflowName = z.string().regex(NAME, 'a name is 1 to 64 of a-z, A-Z, 0-9, _ and -')
export const isWorkflowName = (text: unknown): text is string => typeof text === 'string' && NAME.test(text)

interface RunBase {
  id: string
  workflow: string
  source: 'api' | 'stream'
  queuedAt: number
  input: unknown
}

export type Run = RunBase &
  (
    | { status: 'queued' }
    | { status: 'running'; startedAt: number }
    | { status: 'done'; startedAt: number; endedAt: number; output: unknown }
    | { status: 'failed'; startedAt: number; endedAt: number; error: string }
    | { status: 'timed-out'; startedAt: number; endedAt: number; error: string }
  )

export type Outcome =
  | { status: 'done'; output: unknown }
  | { status: 'failed'; error: string }
  | { status: 'timed-out'; error: string }

export const runIdOf = (tenant: TenantId, entryId: string): string => `run_${tenant}_${entryId}`

/** The owner is part of the id, so that asking who owns a run needs no look into anybody's data. */
export function parseRunId(text: string): { owner: TenantId; entryId: string } | null {
  const found = /^run_([a-z0-9-]{1,64})_(\d{1,20}-\d{1,20})$/.exec(text)
  const [, owner, entryId] = found ?? []
  return isTenantId(owner) && entryId !== undefined ? { owner, entryId } : null
}

const base = z.object({
  workflow: z.string(),
  source: z.enum(['api', 'stream']),
  queuedAt: z.number(),
  input: z.unknown(),
  inputText: z.string().optional(),
})
const ended = { startedAt: z.number(), endedAt: z.number() }
const state = z.discriminatedUnion('status', [
  z.object({ status: z.literal('queued') }),
  z.object({ status: z.literal('running'), startedAt: z.number() }),
  z.object({ status: z.literal('done'), ...ended, output: z.unknown() }),
  z.object({ status: z.literal('failed'), ...ended, error: z.string() }),
  z.object({ status: z.literal('timed-out'), ...ended, error: z.string() }),
])

/** Reads a record as the functions write it: the changing part, a line feed, the lasting part. */
export function parseRecord(tenant: TenantId, entryId: string, record: string): Run {
  const cut = record.indexOf('\n')
  const { inputText, ...lasting } = base.parse(JSON.parse(record.slice(cut + 1)))
  const input = inputText === undefined ? lasting.input : (parseInput(inputText)?.value ?? null)
  return { id: runIdOf(tenant, entryId), ...lasting, input, ...state.parse(JSON.parse(record.slice(0, cut))) }
}

/** Null when the text is not JSON: a direct writer may have sent anything. */
export function parseInput(text: string): { value: unknown } | null {
  try {
    return { value: JSON.parse(text) as unknown }
  } catch {
    return null
  }
}
