// The judge on hand-changed runs, guilty and innocent; every run is simulated from a printed run seed.

import { describe, expect, it } from 'vitest'
import type { Finding } from '../../harness/evidence/types.ts'
import type { Precondition, Verdict } from '../../harness/evidence/verdict.ts'
import { lookAt } from '../../harness/verdict/interference.ts'
import { judge } from '../../harness/verdict/judge.ts'
import { replay } from '../../harness/verdict/stopping.ts'
import type { JudgeInput } from '../../harness/verdict/types.ts'
import { heldFinding, simulateBlocks, simulateInput } from './simulate.ts'

const RUN_SEED = 7
const objectives = { p99Ms: 250, successRatio: 0.99, interferenceRatio: 2, interferenceFloorMs: 0 }
const failed: Precondition = {
  name: 'send-lateness',
  held: false,
  spoils: 'both',
  detail: 'p99 31 ms over 50 blocks of 0.8 s, the limit is 25 ms',
}
const broken: Finding = {
  ...heldFinding,
  finding: 'broken',
  tenants: ['quiet-2', 'noisy-1'],
  reason: 'quiet-2 seen by noisy-1',
}
const healthy = simulateInput({ runSeed: RUN_SEED })
const tenfold = simulateInput({ runSeed: RUN_SEED, effect: [10, 10, 10, 10] })

function verdictOn(input: JudgeInput): Verdict {
  const verdict = judge(input)
  expect(JSON.parse(JSON.stringify(verdict))).toEqual(verdict)
  return verdict
}

const said = (verdict: Verdict) => verdict.reasons.join('\n')

describe(`the judge on simulated runs, run seed ${RUN_SEED}`, () => {
  // Each judging simulates thousands of runs, so one input of a kind is judged again.
  it.each([
    ['a healthy run', healthy],
    ['a guilty run', tenfold],
    ['operations that never end', simulateInput({ runSeed: RUN_SEED, unfinished: 8 })],
    ['pairs that ended early', { ...simulateInput({ runSeed: RUN_SEED, pairs: 5 }), pairsEnded: 'a backlog' }],
    ['a leak beside a precondition that did not hold', { ...healthy, preconditions: [failed], findings: [broken] }],
  ])('gives the same verdict, byte for byte, when it is asked again: %s', (_, input) => {
    const before = JSON.stringify(input)
    const verdict = JSON.stringify(judge(input))
    expect(JSON.stringify(judge(structuredClone(input)))).toBe(verdict)
    expect(JSON.stringify(input)).toBe(before)
  })

  it('passes a healthy run and says how far it could see', () => {
    const verdict = verdictOn(healthy)
    expect(verdict.outcome).toBe('pass')
    expect(verdict.interference).toMatchObject({ outcome: 'pass', pairs: 25, passEdge: 2.6, failEdge: 1.6 })
    expect(verdict.interference.detectableRatio).toBeGreaterThan(2)
    expect(verdict.interference.detectableRatio).toBeLessThan(3)
    expect(said(verdict)).toMatch(
      /quiet-1: p99 under noise 1\d\.\d ms \(95 % upper bound \d+\.?\d* ms, n=2,000 in 25 blocks of 0.8 s\) is within the SLO of 250 ms/,
    )
    expect(said(verdict)).toContain('below 2.6, a fail that it is above 1.6')
    expect(verdict.tenants[0]?.ratio?.low).toBeLessThan(1.1)
    expect(verdict.tenants[0]?.ratio?.high).toBeGreaterThan(1)
  })

  it('says of an A/A run that its pass is the measuring’s, and judges it like any other', () => {
    const verdict = verdictOn({ ...healthy, noiseTo: 'sink' })
    expect(verdict.outcome).toBe('pass')
    expect(said(verdict)).toContain('A/A run: the noise of both arms went to the placebo sink')
    const { reasons, ...rest } = verdictOn({ ...healthy, noiseTo: 'target' })
    expect(verdict).toEqual({ ...rest, reasons: expect.arrayContaining(reasons) })
    expect(verdictOn({ ...tenfold, noiseTo: 'sink' }).outcome).toBe('fail')
  })

  it('fails a tenfold rise, of all tenants and of one, early', () => {
    expect(verdictOn(tenfold).outcome).toBe('fail')
    const one = verdictOn(simulateInput({ runSeed: RUN_SEED, effect: [1, 1, 10] }))
    expect(one.outcome).toBe('fail')
    expect(one.tenants.map((tenant) => tenant.interference === 'fail')).toEqual([false, false, true, false])
    expect(one.interference.looks.length).toBeLessThan(10)
    expect(one.tenants[2]?.ratio?.point).toBeGreaterThan(7)
    expect(one.reasons[0]).toContain('quiet-3 above the limit of 2')
  })

  it('fails when operations under noise never end, and writes their quantiles as null', () => {
    const verdict = verdictOn(simulateInput({ runSeed: RUN_SEED, unfinished: 8 }))
    expect(verdict.outcome).toBe('fail')
    expect(verdict.tenants[0]).toMatchObject({
      interference: 'fail',
      slo: 'fail',
      success: 'fail',
      successRatio: { point: 0.9 },
    })
    expect(verdict.tenants[0]?.noise.p99Ms).toBeNull()
    expect(verdict.tenants[0]?.reasons.join()).toContain('200 of 2,000 operations under noise failed or never ended')
  })

  it('fails an SLO that the p99 exceeds and leaves one undecided that lies within its interval', () => {
    const p99 = judge(healthy).tenants[0]?.noise.p99Ms ?? 0
    expect(verdictOn({ ...healthy, objectives: { ...objectives, p99Ms: 8 } }).tenants[0]?.slo).toBe('fail')
    const near = verdictOn({ ...healthy, objectives: { ...objectives, p99Ms: p99 } })
    expect(near.tenants[0]?.slo).toBe('inconclusive')
    expect(near.outcome).not.toBe('pass')
  })

  it('does not pass an SLO on fewer than 299 samples', () => {
    const verdict = verdictOn(simulateInput({ runSeed: RUN_SEED, pairs: 3 }))
    expect(verdict.tenants[0]).toMatchObject({ slo: 'inconclusive', interference: 'inconclusive' })
    expect(said(verdict)).toContain('no upper bound at 95 %')
  })

  it('softens latency findings, pass or fail, when a precondition did not hold', () => {
    for (const run of [healthy, tenfold]) {
      const verdict = verdictOn({ ...run, preconditions: [failed] })
      expect(verdict.outcome).toBe('inconclusive')
      expect(verdict.interference.outcome).toBe('inconclusive')
      expect(verdict.tenants.map((tenant) => tenant.slo)).toEqual(Array(4).fill('inconclusive'))
      expect(verdict.reasons[0]).toContain('send-lateness did not hold')
    }
  })

  it('keeps what a one-sided precondition does not touch: weak noise spoils a pass, not a fail', () => {
    const weak: Precondition = { ...failed, spoils: 'pass' }
    expect(verdictOn({ ...healthy, preconditions: [weak] }).outcome).toBe('inconclusive')
    expect(verdictOn({ ...tenfold, preconditions: [weak] }).interference.outcome).toBe('fail')
    const unfair: Precondition = { ...failed, spoils: 'fail' }
    expect(verdictOn({ ...tenfold, preconditions: [unfair] }).outcome).toBe('inconclusive')
    expect(verdictOn({ ...healthy, preconditions: [unfair] }).interference.outcome).toBe('pass')
  })

  it('does not soften a leak, a low success ratio or a dead target', () => {
    expect(verdictOn({ ...healthy, preconditions: [failed], findings: [broken] }).outcome).toBe('fail')
    expect(verdictOn({ ...simulateInput({ runSeed: RUN_SEED, unfinished: 8 }), preconditions: [failed] }).outcome).toBe(
      'fail',
    )
    expect(verdictOn({ ...healthy, preconditions: [failed], targetDied: 'exit code 137 in block 9' }).outcome).toBe(
      'fail',
    )
  })

  it('fails on one leak and names its tenants first', () => {
    const verdict = verdictOn({ ...healthy, findings: [heldFinding, broken] })
    expect(verdict.outcome).toBe('fail')
    expect(verdict.reasons[0]).toContain('data-stays-with-tenant (quiet-2, noisy-1): broken')
  })

  it('lets an inconclusive finding stand in the way of a pass, but not of a fail', () => {
    const unsure: Finding = { ...heldFinding, finding: 'inconclusive', reason: 'the control failed' }
    expect(verdictOn({ ...healthy, findings: [heldFinding, unsure] }).outcome).toBe('inconclusive')
    expect(verdictOn({ ...tenfold, findings: [heldFinding, unsure] }).outcome).toBe('fail')
  })

  it('judges what was seen when pairs ended early, and says so', () => {
    const verdict = verdictOn({
      ...simulateInput({ runSeed: RUN_SEED, pairs: 5 }),
      pairsEnded: 'backlog of 812 after 3 blocks',
    })
    expect(verdict.outcome).toBe('inconclusive')
    expect(said(verdict)).toContain('after 5 of 25 pairs, and what was seen is judged: backlog of 812')
  })

  it('counts arrivals that were never sent against the run, not the target', () => {
    const blocks = simulateBlocks({ runSeed: RUN_SEED })
    const window = blocks[0]?.tenants[0]
    if (window !== undefined) window.offered += 1
    const verdict = verdictOn({ ...healthy, blocks })
    expect(verdict.outcome).toBe('inconclusive')
    expect(said(verdict)).toContain('1 arrivals of 16,001 offered in 50 blocks have no outcome')
  })

  it('refuses to pass interference when the run could not have seen a threefold rise', () => {
    const verdict = verdictOn(
      simulateInput({ runSeed: RUN_SEED, sigma: 1.5 }, { objectives: { ...objectives, p99Ms: 5000 } }),
    )
    expect(verdict.interference.detectableRatio).toBeGreaterThan(3)
    expect(verdict.interference.outcome).toBe('inconclusive')
    expect(verdict.outcome).toBe('inconclusive')
    expect(verdict.tenants[0]?.slo).toBe('pass')
  })

  it('lets an absolute floor forgive a rise that the ratio would not', () => {
    const quadrupled = simulateInput({ runSeed: RUN_SEED, effect: [4, 4, 4, 4] })
    const floor = { ...quadrupled, objectives: { ...objectives, interferenceFloorMs: 200 } }
    expect(replay(quadrupled).at(-1)?.outcome).toBe('fail')
    expect(replay(floor).at(-1)?.outcome).toBe('pass')
  })
})

describe('vacuous input', () => {
  const cases: Array<[string, Partial<JudgeInput>]> = [
    ['no blocks', { blocks: [] }],
    ['blocks without samples', { blocks: simulateBlocks({ samples: 0 }) }],
    ['blocks without the quiet tenants', { blocks: simulateBlocks({ tenants: 0 }) }],
    ['one arm only', { blocks: simulateBlocks().filter((block) => block.arm === 'noise') }],
    ['no quiet tenants', { quietTenants: [] }],
    ['one tenant never seen', { quietTenants: ['quiet-1', 'quiet-9'] }],
    ['no findings', { findings: [] }],
    ['only findings that do not apply', { findings: [{ ...heldFinding, finding: 'not-applicable' }] }],
    ['a finding that was never asked', { findings: [{ ...heldFinding, opportunities: 0 }] }],
    ['two pairs planned', { pairsPlanned: 2 }],
  ]
  for (const [name, change] of cases) {
    it(`never passes: ${name}`, () => {
      expect(verdictOn({ ...healthy, ...change }).outcome).toBe('inconclusive')
    })
  }
})

describe('looks', () => {
  it('are the same whether asked one by one or replayed, and never look ahead', () => {
    const looks = replay(healthy)
    for (const look of looks) {
      const last = (candidate: { pair: number | null }) => (candidate.pair ?? 0) <= look.pair
      expect(lookAt({ ...healthy, blocks: healthy.blocks.filter(last) }, look.pair)).toEqual(look)
      expect(lookAt(healthy, look.pair)).toEqual(look)
    }
  })

  it('count a pair only when both of its blocks exist', () => {
    const without = healthy.blocks.filter((block) => !(block.pair === 4 && block.arm === 'noise'))
    expect(lookAt({ ...healthy, blocks: without }, 24).tenants[0]?.samples.noise).toBe(24 * 80)
    expect(lookAt({ ...healthy, blocks: without }, 25)).toEqual({ pair: 25, outcome: 'inconclusive', tenants: [] })
    expect(lookAt(healthy, 2)).toEqual({ pair: 2, outcome: 'inconclusive', tenants: [] })
  })

  it('do not pass on fewer than 400 samples an arm', () => {
    const few = simulateInput({ runSeed: 5, samples: 15 })
    expect(replay(few).every((look) => look.outcome === 'inconclusive')).toBe(true)
    expect(replay(few).some((look) => (look.tenants[0]?.pBelow ?? 1) < 0.03)).toBe(true)
  })
})
