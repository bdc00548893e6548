// The journal's text, read: operations, what the probes saw, and the nonces of its parts. A line that is none of these is
// left to whoever knows it; one that is cut or changed is an error, as the digest has been checked before.

import { z } from 'zod'
import type { DwellObservation, OperationLine, ProbeLine } from '../evidence/run.ts'

export interface Journal {
  operations: OperationLine[]
  probeLines: ProbeLine[]
  dwell: DwellObservation[]
  /** One of each part, in their order. */
  nonces: string[]
}

const PROBE_LINES = new Set(['probe', 'received', 'sighting'])

const operation = z.looseObject({
  tenant: z.string(),
  seq: z.number(),
  arm: z.enum(['silence', 'placebo', 'noise', 'between']),
  block: z.number(),
  intendedUs: z.number(),
  handedUs: z.number().nullable(),
  endUs: z.number(),
  outcome: z.enum(['ok', 'failed', 'unfinished']),
})

const dwellLine = z.object({
  t: z.literal('dwell'),
  tenant: z.string(),
  arm: z.enum(['silence', 'placebo', 'noise']),
  block: z.number(),
  run: z.string(),
  attempt: z.number(),
  queuedMs: z.number(),
  startedMs: z.number().nullable(),
})

/** The line that begins each part of the journal. */
export const journalPart = (nonce: string): string => `${JSON.stringify({ t: 'part', nonce })}\n`

export function readJournal(text: string): Journal {
  const journal: Journal = { operations: [], probeLines: [], dwell: [], nonces: [] }
  for (const line of text.split('\n')) {
    if (line === '') continue
    const parsed = JSON.parse(line)
    if (parsed.t === 'op') journal.operations.push(operation.parse(parsed))
    else if (PROBE_LINES.has(parsed.t)) journal.probeLines.push(parsed)
    else if (parsed.t === 'dwell') journal.dwell.push(dwellLine.parse(parsed))
    else if (parsed.t === 'part') journal.nonces.push(String(parsed.nonce))
  }
  return journal
}
