// Runs of acts, as a user has them: the clean engine passes, a seeded defect fails for its reason, a foreign target without
// the abilities is neither, and calibration says all of it in its matrix.

import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, test } from 'vitest'
import type { ActsEvidence, ActsVerdict } from '../../harness/evidence/acts.ts'
import { folder, partywall, saved, start, tidy } from './partywall.ts'
import { describeTarget, serve, tokens } from './systems/serve.ts'

afterEach(tidy)
const LIMIT_MS = 90_000
const here = (name: string) => fileURLToPath(new URL(name, import.meta.url))
const TWO_ACTS = here('./acts.yaml')

function savedActs(run: string): {
  files: string[]
  evidence: ActsEvidence
  verdict: ActsVerdict
  text: (name: string) => string
} {
  const { files, text } = saved(run)
  return { files, evidence: JSON.parse(text('evidence.json')), verdict: JSON.parse(text('verdict.json')), text }
}

const findings = ({ findings }: ActsVerdict) => findings.map(({ probe, finding }) => [probe, finding])

describe('a run of acts', () => {
  test(
    'passes the clean engine, and its evidence is judged the same again',
    async () => {
      const out = join(folder(), 'run')
      const { code, stdout } = await partywall('run', TWO_ACTS, '--out', out, '--json')
      const { files, evidence, verdict, text } = savedActs(out)
      expect(findings(verdict)).toEqual([
        ['weights-share-in-proportion', 'held'],
        ['removed-tenants-run-nothing', 'held'],
      ])
      expect([verdict.outcome, code]).toEqual(['pass', 0])
      expect(JSON.parse(stdout).verdict).toEqual(verdict)
      expect(files).toEqual(['evidence.json', 'journal.ndjson', 'summary.md', 'verdict.json'])
      expect(evidence.acts.map(({ name, state }) => [name, state])).toEqual([
        ['removal', 'done'],
        ['weights', 'done'],
      ])
      expect(files.map(text).join('')).not.toMatch(/pw_[a-z]|pwcanary/)

      const again = await partywall('judge', out, '--json')
      expect([again.code, again.stdout]).toEqual([0, text('verdict.json')])
      expect(again.stderr).toContain('identical to the recorded one')
    },
    LIMIT_MS,
  )

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
      expect(findings(verdict)).toEqual([
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
        expect(findings(savedActs(out).verdict).map(([, finding]) => finding)).toEqual([
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
  test(
    'says caught and clean of defects that are there, with their trips',
    async () => {
      const out = join(folder(), 'matrix')
      const { code, stdout } = await partywall('calibrate', '--only', 'M41a,M48', '--out', out, '--json')
      const said = JSON.parse(stdout)
      expect(said.defects.map(({ id, probe, result }: Record<string, string>) => [id, probe, result])).toEqual([
        ['M41a', 'weights-share-in-proportion', 'caught'],
        ['M48', 'removed-tenants-run-nothing', 'caught'],
      ])
      for (const { trips } of said.defects) expect(trips).toBeGreaterThan(0)
      expect(said.clean).toMatchObject([{ result: 'clean', broken: [], undecided: [] }])
      expect([said.outcome, code]).toEqual(['pass', 0])
      expect(saved(join(out, 'weights-ignored')).files).toContain('evidence.json')
      expect(saved(out).files).toEqual(['clean-acts', 'delete-unfenced', 'matrix.json', 'matrix.md', 'weights-ignored'])
    },
    LIMIT_MS,
  )

  test('refuses a defect that there is none of, with the choices', async () => {
    const { code, stderr } = await partywall('calibrate', '--only', 'M30,M99')
    expect([code, stderr]).toEqual([2, expect.stringContaining('there is no seeded defect M99')])
    expect(stderr).toContain('M30 turns-by-count')
  })
})
