// Simulated runs with a known truth, for tests of the verdict: a stable machine, lognormal response times, one window
// per tenant and block. Nothing here is measured.

import type { Arm, Block, Finding, TenantWindow } from '../../harness/evidence/types.ts'
import { type Random, randomFor } from '../../harness/load/random.ts'
import type { JudgeInput } from '../../harness/verdict/types.ts'

export interface Simulation {
  runSeed: number
  pairs: number
  tenants: number
  samples: number
  /** Factor on every response time under noise, per tenant; 1 when absent. */
  effect: number[]
  /** Operations under noise that never end, per block and tenant. */
  unfinished: number
  /** Standard deviation of ln(response time). */
  sigma: number
}

const usual: Simulation = { runSeed: 1, pairs: 25, tenants: 4, samples: 80, effect: [], unfinished: 0, sigma: 0.5 }

export function normal(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
}

/** Microseconds at 3 significant digits, as the recording keeps them. */
function recorded(us: number): number {
  return Math.round(Number(us.toPrecision(3)))
}

function windowFor(
  tenant: string,
  s: Simulation,
  options: { factor: number; unfinished: number; random: Random },
): TenantWindow {
  const counts = new Map<number, number>()
  const ok = s.samples - options.unfinished
  for (let i = 0; i < ok; i++) {
    const us = recorded(5000 * options.factor * Math.exp(s.sigma * normal(options.random)))
    counts.set(us, (counts.get(us) ?? 0) + 1)
  }
  const responseUs = [...counts].sort((a, b) => a[0] - b[0])
  return { tenant, offered: s.samples, sent: s.samples, ok, failed: 0, unfinished: options.unfinished, responseUs }
}

function tenantNames(tenants: number): string[] {
  return Array.from({ length: tenants }, (_, i) => `quiet-${i + 1}`)
}

export function simulateBlocks(changes: Partial<Simulation> = {}): Block[] {
  const s = { ...usual, ...changes }
  const random = randomFor(s.runSeed, 'simulated run')
  const blocks: Block[] = []
  for (let pair = 1; pair <= s.pairs; pair++) {
    const arms: Arm[] = random() < 0.5 ? ['placebo', 'noise'] : ['noise', 'placebo']
    for (const arm of arms) {
      const index = blocks.length
      const noisy = arm === 'noise'
      const tenants = tenantNames(s.tenants).map((tenant, i) =>
        windowFor(tenant, s, { factor: noisy ? (s.effect[i] ?? 1) : 1, unfinished: noisy ? s.unfinished : 0, random }),
      )
      blocks.push({ index, arm, pair, startUs: index * 1e6, settleUs: 200_000, endUs: (index + 1) * 1e6, tenants })
    }
  }
  return blocks
}

export const heldFinding: Finding = {
  probe: 'data-stays-with-tenant',
  finding: 'held',
  tenants: [],
  opportunities: 400,
  controls: 40,
  reason: '',
  witness: [],
}

/** A whole input for the judge: healthy unless changed. */
export function simulateInput(changes: Partial<Simulation> = {}, rest: Partial<JudgeInput> = {}): JudgeInput {
  const s = { ...usual, ...changes }
  return {
    runSeed: s.runSeed,
    quietTenants: tenantNames(s.tenants),
    objectives: { p99Ms: 250, successRatio: 0.99, interferenceRatio: 2, interferenceFloorMs: 0 },
    pairsPlanned: 25,
    blocks: simulateBlocks(s),
    findings: [heldFinding],
    preconditions: [
      { name: 'achieved-rate', held: true, spoils: 'both', detail: '100 of 100 arrivals/s over 50 blocks of 0.8 s' },
    ],
    targetDied: null,
    pairsEnded: null,
    timeoutMs: 5000,
    ...rest,
  }
}
