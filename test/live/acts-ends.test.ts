// Runs of acts that do not come to a verdict of pass or fail: interrupted, asked of a target without the abilities, refused.

import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { actFindings, folder, partywall, savedActs, start, TWO_ACTS, tidy } from './partywall.ts'
import { describeTarget, serve, tokens } from './systems/serve.ts'

afterEach(tidy)
const LIMIT_MS = 90_000

describe('a run of acts', () => {
  test(
    'interrupted, saves what it has, shows no promise as kept that was not asked to the end, and a defect as never tripped',
    async () => {
      const out = join(folder(), 'run')
      // A defect of retries, of which these acts make none.
      const { child, ended, said } = start(['run', TWO_ACTS, '--defect', 'retries-uncharged', '--out', out])
      await said('weights begins')
      child.kill('SIGINT')
      const { code, stderr } = await ended
      expect(code).toBe(130)
      const { evidence, verdict, text } = savedActs(out)
      expect([evidence.interrupted, evidence.defectTrips]).toEqual([true, 0])
      const never = 'seeded defect retries-uncharged: NEVER TRIPPED, so this verdict says nothing about it'
      expect(stderr).toContain(`${never}\nverdict: interrupted`)
      expect(text('summary.md')).toContain(never)
      expect(actFindings(verdict)).toEqual([
        ['weights-share-in-proportion', 'inconclusive'],
        ['removed-tenants-run-nothing', 'held'],
      ])
    },
    LIMIT_MS,
  )

  test(
    'is not applicable to a target that makes no tenants, and so no pass',
    async () => {
      const { child, port } = await serve('fair', {})
      try {
        const file = join(folder(), 'target.yaml')
        describeTarget('fair', port, file)
        const out = join(folder(), 'run')
        const { code, stderr } = await start(['run', TWO_ACTS, '--target', file, '--out', out], tokens).ended
        expect(stderr).toContain('the target does not offer tenants, steps, history')
        expect(actFindings(savedActs(out).verdict).map(([, finding]) => finding)).toEqual([
          'not-applicable',
          'not-applicable',
        ])
        expect(code).toBe(3)
      } finally {
        child.kill('SIGKILL')
      }
    },
    LIMIT_MS,
  )

  test('refuses a budget, an unknown act and an act twice, as usage', async () => {
    expect(await partywall('run', TWO_ACTS, '--budget', '60s')).toMatchObject({ code: 2 })
    const { writeFileSync } = await import('node:fs')
    const file = join(folder(), 'x.yaml')
    for (const [acts, what] of [
      ['[absent]', 'acts.0'],
      ['[rate, rate]', 'each act once'],
    ]) {
      writeFileSync(file, `scenario: x\nkind: acts\nquestion: y\nslots: 8\nacts: ${acts}\n`)
      const { code, stderr } = await partywall('run', file)
      expect([code, stderr]).toEqual([2, expect.stringContaining(what ?? '')])
    }
  })
})

describe('calibration', () => {
  test('refuses a defect that there is none of, with the choices', async () => {
    const { code, stderr } = await partywall('calibrate', '--only', 'M30,M99')
    expect([code, stderr]).toEqual([2, expect.stringContaining('there is no seeded defect M99')])
    expect(stderr).toContain('M30 turns-by-count')
  })
})
