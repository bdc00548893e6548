// The gate on the reference engine, on a real Redis: the clean engine is not failed, one without fair turns is, for its reason.

import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { dueOf, redrawn } from '../run/journal.ts'
import { endOfAFail, folder, partywall, QUICK, saved, tidy } from './partywall.ts'

afterEach(tidy)
const LIMIT_MS = 120_000
const RUN_SEED = '20'

const quick = (out: string, ...more: string[]) =>
  partywall('run', QUICK, '--seed', RUN_SEED, '--out', out, '--json', ...more)

describe(`the gate, run seed ${RUN_SEED}`, () => {
  test(
    'does not fail the clean engine, and saves evidence that is judged the same again',
    async () => {
      const out = join(folder(), 'run')
      const { code, stdout } = await quick(out)
      const { files, evidence, verdict, text } = saved(out)
      expect([verdict.outcome, code]).toEqual(verdict.outcome === 'pass' ? ['pass', 0] : ['inconclusive', 3])
      expect(JSON.parse(stdout).verdict).toEqual(verdict)
      expect(files).toEqual(['evidence.json', 'histograms.hlog', 'journal.ndjson', 'summary.md', 'verdict.json'])

      expect(verdict.tenants.map(({ tenant }) => tenant)).toEqual(['quiet-1', 'quiet-2', 'quiet-3', 'quiet-4'])
      expect(verdict.findings.map(({ probe, finding }) => [probe, finding])).toEqual([
        ['runs-stay-with-tenant', 'held'],
        ['canaries-stay-with-tenant', 'held'],
      ])
      for (const { controls, opportunities } of verdict.findings) {
        expect(controls).toBeGreaterThan(10)
        expect(opportunities).toBeGreaterThan(50)
      }
      for (const { tenants } of evidence.blocks) {
        for (const { offered, sent, ok } of tenants) expect([sent, ok]).toEqual([offered, offered])
      }
      // What was ordered is what was sent, in both arms: 1,000 requests and 2,000 entries a block.
      const pairs = evidence.looks.at(-1)?.pair ?? 0
      for (const arm of ['placebo', 'noise'] as const) {
        const { apiSent, streamSent } = evidence.noise[arm]
        expect([apiSent, streamSent]).toEqual([1000 * pairs, 2000 * pairs])
      }
      expect(evidence.noise.noise.apiRefused).toBeGreaterThan(0.9 * evidence.noise.noise.apiSent)

      // The schedule can be drawn again from the evidence alone.
      const due = dueOf(text('journal.ndjson'))
      expect(due.length).toBeGreaterThan(1000)
      expect(due).toEqual(redrawn(evidence, due.length))

      // How long runs waited was asked of the engine, about a dozen of each tenant and block.
      const { dwell, windows } = verdict.isolation
      if (dwell.state !== 'told') throw new Error(`no dwell was told: ${dwell.why}`)
      expect([dwell.answered, dwell.unknown, dwell.endedEarly]).toEqual([dwell.questions, 0, ''])
      for (const arm of ['placebo', 'noise'] as const) {
        for (const { [arm]: times } of dwell.tenants) {
          expect(times?.runs ?? 0).toBeGreaterThanOrEqual(2 * windows[arm].blocks)
          expect(times?.runs ?? 0).toBeLessThanOrEqual(12 * windows[arm].blocks)
          expect(times?.p50Ms ?? 0).toBeGreaterThanOrEqual(0)
        }
      }
      expect(text('summary.md')).toContain('## Interference, for information')

      const everything = files.map(text).join('')
      expect(everything).not.toMatch(/pw_(quiet|noisy)/)
      expect(everything).not.toContain('pwcanary')
      const again = await partywall('judge', out, '--json')
      expect(again.code).toBe(code)
      expect(again.stdout).toBe(text('verdict.json'))
    },
    LIMIT_MS,
  )

  test(
    'fails shared-fifo for interference, and names every quiet tenant',
    async () => {
      const out = join(folder(), 'run')
      const { code } = await quick(out, '--defect', 'shared-fifo')
      const { evidence, verdict } = saved(out)
      expect(verdict.interference.looks.at(-1)?.outcome).toBe('fail')
      expect({ outcome: verdict.outcome, code }).toEqual(endOfAFail(verdict))
      for (const { ratio } of verdict.tenants) expect(ratio?.point).toBeGreaterThan(5)
      expect(verdict.findings.map(({ finding }) => finding)).not.toContain('broken')
      expect(evidence.defectTrips).toBeGreaterThan(100)
    },
    LIMIT_MS,
  )
})
