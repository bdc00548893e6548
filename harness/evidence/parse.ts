// Reads the text of an evidence.json: the facts that a judge looks at must be there and of their kind, so that a file that
// was cut or changed is refused by name and nothing is judged on half of it. Imports nothing of ours but the types.

import { z } from 'zod'
import type { ActsEvidence } from './acts.ts'
import type { Evidence } from './run.ts'

export type AnyEvidence = (Evidence & { kind?: undefined }) | ActsEvidence

/** Names of files beside it, and nothing that leads elsewhere. */
const files = z.record(z.string().regex(/^\w[\w.-]*$/, 'the name of a file'), z.string())
const withFiles = (...names: string[]) =>
  files.refine((found) => names.every((name) => Object.hasOwn(found, name)), `the digests of ${names.join(' and ')}`)

const common = { runSeed: z.number(), interrupted: z.boolean(), targetDied: z.string().nullable() }

const window = z.looseObject({
  tenant: z.string(),
  offered: z.number(),
  sent: z.number(),
  ok: z.number(),
  failed: z.number(),
  unfinished: z.number(),
})
const block = z.looseObject({
  index: z.number(),
  arm: z.enum(['silence', 'placebo', 'noise']),
  pair: z.number().nullable(),
  startUs: z.number(),
  settleUs: z.number(),
  endUs: z.number(),
  tenants: z.array(window),
})
const byArm = z.looseObject({ placebo: z.looseObject({}), noise: z.looseObject({}) })

/** Absent in runs that were saved before it was kept; no judge reads it. */
const shape = z.union([
  z.enum(['poisson', 'uniform']),
  z.strictObject({ burst: z.strictObject({ size: z.number() }) }),
  z.strictObject({ ramp: z.strictObject({ toPerSecond: z.number(), overMs: z.number() }) }),
])
const quietTenant = z.looseObject({ label: z.string(), stepMs: z.number(), shape: shape.optional() })
const limit = z.number().positive().optional()
const percentiles = { p50Ms: limit, p90Ms: limit, p99Ms: limit, p999Ms: limit }
const profile = z.looseObject({
  ...percentiles,
  maxMs: limit,
  successRatio: limit,
  goodSeconds: z.looseObject({ ...percentiles, share: z.number() }).optional(),
})

/** Absent in runs that were saved before it was asked for. */
const dwell = z.discriminatedUnion('state', [
  z.looseObject({ state: z.literal('asked'), asked: z.number(), answered: z.number(), why: z.string() }),
  z.looseObject({ state: z.literal('not-offered') }),
  z.looseObject({ state: z.literal('not-asked'), why: z.string() }),
])

const selfChecks = z.looseObject({
  nonce: z.string(),
  scans: z.array(
    z.looseObject({ who: z.string(), planted: z.number(), found: z.number(), missed: z.array(z.string()) }),
  ),
  owners: z.looseObject({
    tenants: z.number(),
    mistaken: z.array(z.looseObject({ owner: z.string(), takenFor: z.string() })),
  }),
  credentials: z.array(z.looseObject({ tenant: z.string(), digest: z.string() })),
  questions: z.looseObject({
    everyMs: z.number(),
    due: z.number(),
    skipped: z.number(),
    thrown: z.number(),
    open: z.number(),
  }),
  thrown: z.array(z.looseObject({ who: z.string(), times: z.number(), first: z.string() })),
})

const flood = z.looseObject({
  ...common,
  quietTenants: z.array(quietTenant),
  objectives: z.looseObject({
    p99Ms: z.number(),
    successRatio: z.number(),
    interferenceRatio: z.number(),
    interferenceFloorMs: z.number(),
    profiles: z.record(z.string(), profile).optional(),
  }),
  pairsPlanned: z.number(),
  operationTimeoutMs: z.number(),
  blocks: z.array(block),
  drains: z.array(
    z.looseObject({ end: z.string(), after: z.string(), tookMs: z.number(), left: z.number().nullable() }),
  ),
  rehearsed: z.looseObject({ ok: z.number(), offered: z.number() }).nullable(),
  looks: z.array(z.looseObject({ pair: z.number(), outcome: z.string() })),
  brokeOff: z.string().nullable(),
  noiseTo: z.enum(['target', 'sink']).optional(),
  noise: byArm,
  noiseOrdered: byArm,
  noisePlanned: z.record(z.string(), z.number()),
  selfChecks,
  hiccups: z.array(z.looseObject({ who: z.string() })),
  dwell: dwell.optional(),
  pairsEnded: z.string().nullable(),
  notApplicable: z.array(z.looseObject({ what: z.string(), why: z.string() })),
  files: withFiles('journal.ndjson', 'histograms.hlog'),
})

const acts = z.looseObject({
  ...common,
  acts: z.array(z.looseObject({ name: z.string(), state: z.enum(['done', 'cut', 'lacking']), why: z.string() })),
  files: withFiles('journal.ndjson'),
})

const head = z.looseObject({ version: z.number(), kind: z.literal('acts').optional() })

export type ReadEvidence =
  | { state: 'read'; evidence: AnyEvidence }
  | { state: 'malformed'; why: string }
  /** Written by another Partywall. */
  | { state: 'other-version' }

const FAULTS_TOLD = 5

export function readEvidence(text: string): ReadEvidence {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return { state: 'malformed', why: `it is cut off or no JSON (${text.length} characters)` }
  }
  const begun = head.safeParse(value)
  if (!begun.success) return { state: 'malformed', why: inWords(begun.error) }
  if (begun.data.version !== 1) return { state: 'other-version' }
  const checked = (begun.data.kind === 'acts' ? acts : flood).safeParse(value)
  if (!checked.success) return { state: 'malformed', why: inWords(checked.error) }
  // Everything that a judge reads was checked above; the rest is told and not judged.
  return { state: 'read', evidence: value as AnyEvidence }
}

function inWords({ issues }: z.ZodError): string {
  const told = issues.slice(0, FAULTS_TOLD).map(({ path, message }) => `${path.join('.') || 'the whole'}: ${message}`)
  if (issues.length > told.length) told.push(`and ${issues.length - told.length} more`)
  return told.join('; ')
}
