// One tenant's turn as a function call: the outcomes that it settles, the runs that it brings. Refuses to decide anything;
// it writes arguments and reads replies.

import { z } from 'zod'
import type { TenantId } from '../tenant.ts'
import type { Outcome } from '../workflow.ts'
import { tenantKey, tenantKeys } from './keys.ts'
import type { Call } from './library.ts'
import type { Claim, QueueParts } from './queue.ts'
import { TURN_MS } from './rounds.ts'

/** Entries that a turn looks at: malformed ones cost their own tenant its turn. */
const ENTRIES_A_TURN = 100

export interface Settlement {
  claim: Claim
  outcome: Outcome
  told: (counted: boolean) => void
  failed: (error: unknown) => void
}

export interface TurnRequest {
  tenant: TenantId
  /** Runs at most; 0 only settles. */
  want: number
  /** Nobody else waits: the length of a turn does not bind. */
  alone: boolean
  /** As picked; null when it only settles. */
  tag: number | null
  settlements: readonly Settlement[]
}

const number = z.coerce.number()
const run = z.tuple([z.string(), z.number(), z.string(), z.string()])
const reply = z.tuple([
  z.enum(['active', 'suspended', 'gone']),
  z.number(),
  number,
  number,
  z.number(),
  z.array(z.number()),
  z.array(z.string()),
  z.string(),
  z.array(run),
])

export interface TurnResult {
  state: 'active' | 'suspended' | 'gone'
  /** -2 at its cap with more waiting, -1 nothing to run, 0 more to run now, else the time of the next. */
  next: number
  charge: number
  correction: number
  counted: boolean[]
  claims: Claim[]
}

function outcomeField(outcome: Outcome): string {
  if (outcome.status === 'done') return `"output":${JSON.stringify(outcome.output) ?? 'null'}`
  if (outcome.status === 'given-up') return ''
  const error = `"error":${JSON.stringify(outcome.error)}`
  return outcome.status === 'retry' ? `${outcome.attemptsMax} ${outcome.afterMs} ${error}` : error
}

export function turnCall({ tenant, want, alone, settlements }: TurnRequest, parts: QueueParts): Call {
  const { windowMs, leaseMs } = parts
  const turnMs = alone ? 1e9 : TURN_MS
  const args: (string | number)[] = [tenant, tenantKey.wake(tenant), windowMs, leaseMs, turnMs, want, ENTRIES_A_TURN]
  args.push(settlements.length)
  for (const { claim, outcome } of settlements) {
    const used = outcome.used === undefined ? '' : JSON.stringify(outcome.used)
    const took = outcome.tookMs?.toFixed(3) ?? ''
    args.push(claim.entryId, claim.fence, took, outcome.status, outcomeField(outcome), used)
  }
  return ['turn', tenantKeys(tenant), args]
}

export function turnResult(request: TurnRequest, raw: unknown, askedAtMs: number): TurnResult {
  const [state, next, charge, correction, maxRunMs, flags, texts, epoch, runs] = reply.parse(raw)
  const definitions = new Map<string, string>()
  for (let at = 0; at < texts.length; at += 2) definitions.set(texts[at] ?? '', texts[at + 1] ?? '')
  const tag = (request.tag ?? 0) + charge
  const claims = runs.map(([entryId, attempt, workflow, inputText]): Claim => {
    const definition = definitions.get(workflow) ?? ''
    const fence = `${entryId}/${attempt}/${epoch}`
    return {
      tenant: request.tenant,
      entryId,
      attempt,
      fence,
      workflow,
      definition,
      inputText,
      maxRunMs,
      tag,
      askedAtMs,
    }
  })
  return { state, next, charge, correction, counted: flags.map((flag) => flag === 1), claims }
}
