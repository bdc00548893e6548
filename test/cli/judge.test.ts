// partywall judge on what is no saved evidence: cut, changed, incomplete. One message, exit code 2, and nothing judged.

import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { ActsEvidence } from '../../harness/evidence/acts.ts'
import { uninspected } from '../../harness/run/inspect.ts'
import { refusal, said } from './said.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'pw-judge-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const put = (name: string, text: string) => writeFileSync(join(folder, name), text)
const digest = createHash('sha256').update('').digest('hex')
const machine = { platform: 'x', cores: 2, memoryGiB: 4, node: 'v24.0.0' }

const acts: ActsEvidence = {
  version: 1,
  kind: 'acts',
  scenario: 'x',
  question: 'y',
  target: 'reference',
  defect: null,
  defectTrips: null,
  runSeed: 7,
  startedAt: '',
  endedAt: '',
  interrupted: false,
  partywall: '0.1.0',
  machine,
  stack: { redis: 'none' },
  slots: 8,
  acts: [{ name: 'weights', startedUs: 0, endedUs: 1, state: 'cut', why: 'it was cut' }],
  targetDied: null,
  files: { 'journal.ndjson': digest },
}

const flood = {
  version: 1,
  runSeed: 7,
  interrupted: false,
  targetDied: null,
  quietTenants: [{ label: 'quiet-1', ratePerSecond: 100, shape: 'poisson', stepMs: 2 }],
  objectives: { p99Ms: 250, successRatio: 0.99, interferenceRatio: 2, interferenceFloorMs: 0 },
  pairsPlanned: 25,
  operationTimeoutMs: 10_000,
  blocks: [],
  drains: [],
  rehearsed: null,
  looks: [],
  brokeOff: null,
  noise: { placebo: {}, noise: {} },
  noiseOrdered: { placebo: {}, noise: {} },
  noisePlanned: {},
  selfChecks: uninspected,
  hiccups: [],
  pairsEnded: null,
  notApplicable: [],
  files: { 'journal.ndjson': digest, 'histograms.hlog': digest },
}

function save(evidence: object | string): void {
  put('journal.ndjson', '')
  put('histograms.hlog', '')
  put('evidence.json', typeof evidence === 'string' ? evidence : JSON.stringify(evidence))
}

describe.each([
  ['acts', acts],
  ['a flood', flood],
])('evidence of %s', (_, evidence) => {
  test('that is whole is judged', async () => {
    save(evidence)
    const { code, stderr } = await said('judge', folder)
    expect([code, stderr]).toEqual([
      3,
      expect.stringContaining('verdict: inconclusive (no verdict was recorded), run seed 7'),
    ])
  })

  test('that was cut anywhere is refused', async () => {
    const text = JSON.stringify(evidence)
    for (const length of [0, 1, text.length >> 1, text.length - 1]) {
      save(text.slice(0, length))
      expect(await refusal('judge', folder)).toContain(`[evidence-malformed] ${join(folder, 'evidence.json')} is not`)
    }
  })

  test('that lacks what a judge reads, or holds another kind of thing there, is refused by name', async () => {
    const told = ['version', 'runSeed', 'interrupted', 'targetDied', 'files']
    const read = 'kind' in evidence ? ['acts'] : Object.keys(flood)
    for (const name of new Set([...told, ...read])) {
      const { [name as 'version']: __, ...rest } = evidence
      for (const changed of [rest, { ...rest, [name]: { odd: true } }]) {
        save(changed)
        const words = await refusal('judge', folder)
        expect(words).toContain('[evidence-malformed]')
        expect(words).toContain(`${name}`)
      }
    }
  })
})

test.each(['null', '[]', '7', '"text"', '{}', 'not JSON', '{"version":1,"kind":"other"}'])(
  'what is no evidence at all is refused: %s',
  async (text) => {
    save(text)
    expect(await refusal('judge', folder)).toContain('[evidence-malformed]')
  },
)

test('a block of another shape is refused with its place', async () => {
  save({ ...flood, blocks: [{ index: 0, arm: 'noise', pair: 1, startUs: 0, settleUs: 0, endUs: 1, tenants: [{}] }] })
  expect(await refusal('judge', folder)).toContain('blocks.0.tenants.0.tenant:')
})

test.each([
  [{ quiet: { p50Ms: 'soon' } }, 'objectives.profiles.quiet.p50Ms:'],
  [{ quiet: { goodSeconds: {} } }, 'objectives.profiles.quiet.goodSeconds.share:'],
])('a profile of another shape is refused with its place: %j', async (profiles, words) => {
  save({ ...flood, objectives: { ...flood.objectives, profiles } })
  expect(await refusal('judge', folder)).toContain(words)
})

test.each([
  ['dwell', { state: 'not-offered' }, { state: 'asked' }],
  [
    'quietTenants',
    [{ ...flood.quietTenants[0], shape: { burst: { size: 2 } } }],
    [{ ...flood.quietTenants[0], shape: 'odd' }],
  ],
])(
  'what came later may be missing in a run that was saved before: %s; but it is of its kind',
  async (name, fit, odd) => {
    save({ ...flood, [name]: fit })
    expect((await said('judge', folder)).code).toBe(3)
    save({ ...flood, [name]: odd })
    expect(await refusal('judge', folder)).toContain(`${name}.`)
  },
)

test('another version is named as such', async () => {
  save({ ...flood, version: 2 })
  expect(await refusal('judge', folder)).toContain('[evidence-version]')
})

test('evidence that names no digests, or files that lie elsewhere, is refused', async () => {
  save({ ...flood, files: { 'journal.ndjson': digest } })
  expect(await refusal('judge', folder)).toContain('files: the digests of journal.ndjson and histograms.hlog')
  save({ ...flood, files: { ...flood.files, '../x': digest } })
  expect(await refusal('judge', folder)).toContain('[evidence-malformed]')
})

test('a file that is not the one that was saved is refused, and so is a folder in its place', async () => {
  save(flood)
  put('journal.ndjson', '{}\n')
  expect(await refusal('judge', folder)).toContain(`${join(folder, 'journal.ndjson')} is not the file`)
  rmSync(join(folder, 'journal.ndjson'))
  mkdirSync(join(folder, 'journal.ndjson'))
  expect(await refusal('judge', folder)).toContain(`${join(folder, 'journal.ndjson')} is not the file`)
})

test('what cannot be read is refused', async () => {
  expect(await refusal('judge', folder)).toContain('[no-evidence]')
  mkdirSync(join(folder, 'evidence.json'))
  expect(await refusal('judge', folder)).toContain('[file-unreadable]')
  rmSync(join(folder, 'evidence.json'), { recursive: true })
  save(acts)
  mkdirSync(join(folder, 'verdict.json'))
  expect(await refusal('judge', folder)).toContain(`${join(folder, 'verdict.json')} cannot be read`)
})
