// The evidence as far as it is known before the first arrival, and the small sums over it.

import { availableParallelism, totalmem } from 'node:os'
import type { BlockFacts, Evidence, QuietTenant } from '../evidence/run.ts'
import type { Arm } from '../evidence/types.ts'
import type { Load } from '../load/shapes.ts'
import { probes } from '../probes/list.ts'
import type { Target, TenantAccess } from '../target/port.ts'
import { uninspected } from './inspect.ts'
import { emptyTally } from './noise-crew.ts'
import { OPERATION_TIMEOUT_MS, type RunOptions } from './options.ts'

export function notApplicable(quiet: TenantAccess[]): Evidence['notApplicable'] {
  const missing: Evidence['notApplicable'] = []
  if (quiet[0]?.completion.by === 'acknowledged' && !quiet[0].read && !quiet[0].list) {
    missing.push({ what: probes[1]?.name ?? '', why: 'the target shows its tenants nothing that could hold a canary' })
  }
  if (!quiet[0]?.read) missing.push({ what: probes[0]?.name ?? '', why: 'the target names no route that reads a run' })
  if (!quiet[0]?.list)
    missing.push({ what: 'foreign canaries in lists', why: 'the target names no route that lists runs' })
  return missing
}

/** Which Partywall, on which machine. */
export function machineFacts(): Pick<Evidence, 'partywall' | 'machine'> {
  return {
    partywall: '0.1.0',
    machine: {
      platform: `${process.platform} ${process.arch}`,
      cores: availableParallelism(),
      memoryGiB: Math.round(totalmem() / 2 ** 30),
      node: process.version,
    },
  }
}

export function draft(
  options: RunOptions,
  target: Target,
  quiet: readonly TenantAccess[],
  redis: string,
  loads: readonly Load[],
  pairsPlanned: number,
  startedAt: Date,
): Evidence {
  const { scenario, runSeed } = options
  return {
    version: 1,
    scenario: scenario.scenario,
    question: scenario.question,
    target: target.name,
    defect: options.target.kind === 'reference' ? options.target.defect : null,
    defectTrips: null,
    runSeed,
    startedAt: startedAt.toISOString(),
    endedAt: '',
    interrupted: false,
    ...machineFacts(),
    stack: { redis },
    quietTenants: loads.flatMap((load, i): QuietTenant[] => {
      const access = quiet[i]
      if (!access) return []
      const { label, stepMs, completion } = access
      return [{ label, ...load, stepMs, pollMs: 'everyMs' in completion ? completion.everyMs : 0 }]
    }),
    noisyTenant: 'noisy',
    objectives: scenario.objectives,
    pairsPlanned,
    operationTimeoutMs: OPERATION_TIMEOUT_MS,
    settleMs: scenario.blocks.settleMs,
    blocks: [],
    drains: [],
    rehearsed: null,
    noiseTo: scenario.noise.to ?? 'target',
    noise: { placebo: emptyTally(), noise: emptyTally() },
    noiseOrdered: { placebo: { api: 0, stream: 0 }, noise: { api: 0, stream: 0 } },
    noisePlanned: {},
    selfChecks: uninspected,
    hiccups: [],
    looks: [],
    dwell: { state: 'not-asked', why: 'the run did not come to the end of its pairs' },
    targetDied: null,
    pairsEnded: null,
    brokeOff: null,
    notApplicable: [],
    files: {},
  }
}

/** A block in which nothing at all was answered: the target is gone, even where its process cannot be watched. */
export function deadBlock(blocks: readonly BlockFacts[]): string | null {
  for (const { index, arm, tenants } of blocks) {
    const offered = tenants.reduce((sum, t) => sum + t.offered, 0)
    const ok = tenants.reduce((sum, t) => sum + t.ok, 0)
    if (offered >= 20 && ok === 0) return `0 of ${offered} quiet operations ended well in block ${index} (${arm})`
  }
  return null
}

/** Pairs of which both blocks are there. */
export function pairsIn(blocks: readonly BlockFacts[]): number {
  const of = (arm: Arm) => blocks.flatMap((block) => (block.arm === arm && block.pair !== null ? [block.pair] : []))
  const noise = new Set(of('noise'))
  return of('placebo').filter((pair) => noise.has(pair)).length
}

/** Quiet operations of these blocks that did not end well. */
export function unwell(blocks: readonly BlockFacts[]): number {
  return blocks.flatMap(({ tenants }) => tenants).reduce((sum, { offered, ok }) => sum + offered - ok, 0)
}

export function merged(tallies: Evidence['hiccups']): Evidence['hiccups'][number] {
  const samples = tallies.reduce((sum, t) => sum + t.samples, 0)
  const sorted = [...tallies].sort((x, y) => x.p99Us - y.p99Us)
  return {
    who: 'generator',
    samples,
    // Of the windows' p99s the median: one stalled window is the machine's, a stalled median the generator's.
    p99Us: sorted[Math.floor(sorted.length / 2)]?.p99Us ?? 0,
    maxUs: Math.max(0, ...tallies.map((t) => t.maxUs)),
  }
}
