// Runs of acts, as a user has them: the clean engine passes, a seeded defect fails for its reason, and calibration says so in
// its matrix.

import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { actFindings, folder, partywall, saved, savedActs, TWO_ACTS, tidy } from './partywall.ts'

afterEach(tidy)
const LIMIT_MS = 90_000

describe('a run of acts', () => {
  test(
    'passes the clean engine, and its evidence is judged the same again',
    async () => {
      const out = join(folder(), 'run')
      const { code, stdout } = await partywall('run', TWO_ACTS, '--out', out, '--json')
      const { files, evidence, verdict, text } = savedActs(out)
      expect(actFindings(verdict)).toEqual([
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
})
