// The interference report on small evidence with figures worked out by hand: each with its count and its window.

import { describe, expect, it } from 'vitest'
import type { DwellFacts, DwellObservation } from '../../harness/evidence/run.ts'
import type { Arm, Block } from '../../harness/evidence/types.ts'
import { dwellReport } from '../../harness/verdict/dwell.ts'
import { isolationReport } from '../../harness/verdict/report.ts'
import { interferenceSummary } from '../../reports/interference-summary.ts'
import { simulateInput } from './simulate.ts'

/** 100 operations of two tenants in 0.8 s; the second one's slowest takes longer under noise, and 10 of it fail. */
function block(index: number, arm: Arm, ms: number, failed = 0): Block {
  const window = (tenant: string, slowMs: number, bad: number) => ({
    tenant,
    offered: 100,
    sent: 100,
    ok: 100 - bad,
    failed: bad,
    unfinished: 0,
    responseUs: [
      [1000, 90 - bad],
      [slowMs * 1000, 10],
    ] as Array<[number, number]>,
  })
  const tenants = [window('quiet-1', 10, 0), window('quiet-2', ms, failed)]
  return { index, arm, pair: 1, startUs: index * 1e6, settleUs: 200_000, endUs: (index + 1) * 1e6, tenants }
}

const blocks = [block(0, 'silence', 8), block(1, 'placebo', 10), block(2, 'noise', 30)]
const input = simulateInput({}, { blocks, quietTenants: ['quiet-1', 'quiet-2'], noisePerSecond: 1000 })

describe('the interference report', () => {
  it('has each rise as a ratio and as a difference, with the counts of both arms', () => {
    const { rises, windows } = isolationReport(input)
    expect(windows.noise.blocks).toBe(1)
    expect(windows.noise.seconds).toBeCloseTo(0.8, 12)
    expect(rises).toHaveLength(2 * 2 * 3)
    expect(rises).toContainEqual({
      tenant: 'quiet-2',
      against: 'placebo',
      quantile: 'p99',
      offMs: 10,
      onMs: 30,
      ratio: 3,
      differenceMs: 20,
      samples: { off: 100, on: 100 },
    })
    expect(rises).toContainEqual(
      expect.objectContaining({ against: 'silence', quantile: 'p99', offMs: 8, ratio: 3.75 }),
    )
  })

  it('tells throughput and success of each arm with their counts, and how evenly was served', () => {
    const report = isolationReport({ ...input, blocks: [block(1, 'placebo', 10), block(2, 'noise', 30, 10)] })
    expect(report.throughput[1]).toEqual({
      tenant: 'quiet-2',
      offered: { placebo: 100, noise: 100 },
      done: { placebo: 100, noise: 90 },
      offeredPerSecond: { placebo: 125, noise: 125 },
      donePerSecond: { placebo: 125, noise: 112.5 },
      successRatio: { placebo: 1, noise: 0.9 },
    })
    expect([report.minMaxRatio, report.evennessOf]).toEqual([0.9, 2])
  })

  it('has one row for the one level of noise, of which the average and the largest are the same', () => {
    const { average, largest, levels } = isolationReport(input).influence
    // p99s 10 + 10 → 10 + 30: Δz = 1; load 250 → 1,250: Δw = 4.
    expect(levels).toEqual([
      {
        noisePerSecond: 1000,
        refPerSecond: 250,
        disrPerSecond: 1250,
        refP99SumMs: 20,
        disrP99SumMs: 40,
        influence: 0.25,
      },
    ])
    expect([average, largest]).toEqual([0.25, 0.25])
    const { noisePerSecond: _, ...unknown } = input
    expect(isolationReport(unknown).influence).toEqual({ average: null, largest: null, levels: [] })
  })

  it('says in words what there is, with unit, count and window, and what there is not', () => {
    const text = interferenceSummary(isolationReport(input)).join('\n')
    expect(text).toContain('1 of placebo (0.8 s), 1 of noise (0.8 s), 1 of silence (0.8 s)')
    expect(text).toContain('10.00 → 30.00, ×3.00, +20.00 ms (n=100 + 100)')
    expect(text).toContain('125.0 → 125.0 | 100.00 % → 100.00 % (n=100 + 100)')
    expect(text).toContain('I_avg 0.2500, I_max 0.2500 (one level of noise, so both are that one’s)')
    expect(text).toContain('starvation: not known')
    expect(text).toContain('dwell, from queued to first executed: the run was saved before it was asked for')
    const starvation = { overSeconds: 3, tenants: [{ tenant: 'quiet-1', ms: 12.34, operations: 250 }] }
    const dwell = { facts: asked, observations: [line('quiet-1', 'noise', 7), line('quiet-1', 'placebo', 2)] }
    const more = interferenceSummary(isolationReport({ ...input, starvation, dwell })).join('\n')
    expect(more).toContain('in 3.0 s from the first block to the last: quiet-1 12.3 ms (n=250)')
    expect(more).toContain('  - quiet-1: 2 / 2 ms (n=1) → 7 / 7 ms (n=1)\n  - quiet-2: – → –')
  })
})

const asked: DwellFacts = { state: 'asked', questions: 3, asked: 3, answered: 3, unknown: 0, tookMs: 1, why: '' }
const line = (tenant: string, arm: Arm, waitedMs: number | null, attempt = 1): DwellObservation => {
  const startedMs = waitedMs === null ? null : 1000 + waitedMs
  return { t: 'dwell', tenant, arm, block: 0, run: 'r', attempt, queuedMs: 1000, startedMs }
}

describe('dwell', () => {
  it('is told for each arm with its count, and leaves out runs that were tried again', () => {
    const observations = [
      ...Array.from({ length: 99 }, (_, i) => line('a', 'noise', i + 1)),
      line('a', 'noise', 500),
      line('a', 'noise', 9000, 2),
      line('a', 'placebo', 4),
    ]
    const report = dwellReport({ facts: asked, observations }, ['a', 'b'])
    expect(report).toMatchObject({ state: 'told', triedAgain: 1 })
    expect(report.state === 'told' && report.tenants).toEqual([
      {
        tenant: 'a',
        silence: null,
        placebo: { p50Ms: 4, p99Ms: 4, runs: 1 },
        // Ranks 50 from the top of 100, and 2 from the top.
        noise: { p50Ms: 50, p99Ms: 99, runs: 100 },
      },
      { tenant: 'b', silence: null, placebo: null, noise: null },
    ])
  })

  it('is longer than any for a run that had not begun, so that a quantile among those is not known', () => {
    const report = dwellReport({ facts: asked, observations: [line('a', 'noise', 5), line('a', 'noise', null)] }, ['a'])
    expect(report.state === 'told' && report.tenants[0]?.noise).toEqual({ p50Ms: 5, p99Ms: null, runs: 2 })
  })

  it('is not told where the target does not offer it, or nobody asked', () => {
    const of = (facts: DwellFacts | undefined) => dwellReport({ facts, observations: [] }, ['a'])
    expect(of({ state: 'not-offered' })).toEqual({ state: 'not-told', why: 'not offered by the target' })
    expect(of({ state: 'not-asked', why: 'it was cut' })).toEqual({ state: 'not-told', why: 'it was cut' })
    expect(of(undefined)).toMatchObject({ state: 'not-told' })
  })
})
