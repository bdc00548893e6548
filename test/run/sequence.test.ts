// Whole runs with a crew that does nothing, on a clock of their own: how they end, what is kept, and what is said. The target
// is a function of the run's time. The crew's own threads and the target's process are the live suite's affair.
// over 300 lines: one stage, that every ending of a run is played on.

import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test, vi } from 'vitest'
import type { Evidence } from '../../harness/evidence/run.ts'
import { judgeFlood } from '../../harness/run/assemble.ts'
import type { RunOptions } from '../../harness/run/options.ts'
import { runScenario } from '../../harness/run/sequence.ts'
import { type FakeCrew, fakeCrew, never, type Play, scenario } from './fake-crew.ts'

const stage = vi.hoisted(() => ({ crew: null as unknown, died: null as unknown }))

vi.mock('../../harness/run/crew.ts', () => ({
  startCrew: async ({ folder }: { folder: unknown }) => Object.assign(stage.crew as object, { folder }),
}))
vi.mock('../../harness/run/stand.ts', async (original) => ({
  ...(await original<object>()),
  stand: async () => {
    const { target, quiet, noisy } = stage.crew as FakeCrew
    return { target, quiet, noisy, redis: 'none', died: stage.died }
  },
}))

const folders: string[] = []
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
})

const RUN_SEED = 5
const MS = 1000
/** When things happen with this scenario: the noise of the warm-up, silence, the first pair. */
const NOISE_FROM_US = 1000 * MS
const NOISE_TO_US = 1500 * MS
const SILENCE_FROM_US = 2000 * MS
const PAIRS_FROM_US = 3005 * MS

interface Staged extends Partial<RunOptions> {
  died?: Promise<string>
}

function begin(play: Play, { died = never<string>(), ...options }: Staged = {}) {
  const crew = fakeCrew(play)
  Object.assign(stage, { crew, died })
  const place = mkdtempSync(join(tmpdir(), 'pw-sequence-'))
  folders.push(place)
  const out = join(place, 'run')
  const kept: string[] = []
  const running = runScenario({
    scenario,
    runSeed: RUN_SEED,
    target: { kind: 'http', file: '' },
    out,
    signal: new AbortController().signal,
    onProgress: () => {},
    onKept: (folder) => void kept.push(folder),
    ...options,
  })
  const read = () => JSON.parse(readFileSync(join(out, 'evidence.json'), 'utf8')) as Evidence
  return { crew, out, kept, running, read }
}

const gone = () => Promise.reject(new Error('ECONNREFUSED'))
const diesAt = (us: number): Play => ({
  fate: (due) => (due < us ? 4 : 'failed'),
  // Something is left in the moments before.
  backlog: (now) => (now < us ? Promise.resolve(now < us - 150 * MS ? 0 : 1) : gone()),
  reach: (now) => (now < us ? Promise.resolve() : gone()),
})

test('a healthy target is measured in all its pairs, and every drain is recorded', async () => {
  const { verdict, evidence } = await begin({}).running
  expect(verdict.preconditions.filter(({ held }) => !held)).toEqual([])
  expect([evidence.pairsEnded, evidence.targetDied, evidence.brokeOff]).toEqual([null, null, null])
  expect(evidence.drains).toHaveLength(1 + 2 * evidence.pairsPlanned)
  expect(evidence.drains.every(({ end }) => end === 'seen')).toBe(true)
  expect(evidence.rehearsed).toEqual({ ok: 50, offered: 50 })
})

test('a target that is not well before any noise cannot be judged: an environment error, and no folder', async () => {
  const { running, out } = begin({ fate: () => 'failed' })
  await expect(running).rejects.toThrow('[target-not-healthy] only 0 of 225')
  expect(existsSync(out)).toBe(false)
})

test('a target that refuses quiet work during the first noise is measured, and not sent away', async () => {
  const under = (us: number) => us >= NOISE_FROM_US && us < NOISE_TO_US
  const { evidence } = await begin({ fate: (us) => (under(us) ? 'failed' : 4) }).running
  expect(evidence.rehearsed).toEqual({ ok: 50, offered: 50 })
  expect(evidence.blocks.filter(({ pair }) => pair !== null)).toHaveLength(8)
})

test('a target that stays unwell after the first noise is failed, and its placebo blocks help no pass', async () => {
  const { verdict } = await begin({ fate: (us) => (us < NOISE_FROM_US || (us / 4000) % 7 > 0 ? 4 : 'failed') }).running
  const share = verdict.tenants.map(({ success }) => success)
  expect(share).toContain('fail')
  expect(verdict.outcome).toBe('fail')
  const spoilt = verdict.preconditions.filter(({ held }) => !held).map(({ name, spoils }) => [name, spoils])
  expect(spoilt).toEqual([
    ['well-under-placebo', 'pass'],
    ['well-after-warm-up', 'pass'],
  ])
})

test('a target that is not well is told as that, also where a noise maker cannot cope with it', async () => {
  const failed = Promise.reject(new Error('the api noise cannot be sent to this target'))
  failed.catch(() => {})
  const { running } = begin({ fate: () => 'failed', failed })
  await expect(running).rejects.toThrow('[target-not-healthy]')
})

test('a target whose process ends before it was seen to be well is an environment error', async () => {
  const { running, out } = begin({}, { died: Promise.resolve('exit code 1') })
  await expect(running).rejects.toThrow('[target-died-early]')
  expect(existsSync(out)).toBe(false)
})

test('a target whose process ends at the first noise is failed with the reason', async () => {
  const died = Promise.withResolvers<string>()
  const { verdict, evidence } = await begin({ onNoise: () => died.resolve('exit code 137') }, { died: died.promise })
    .running
  expect([verdict.outcome, evidence.targetDied]).toEqual(['fail', 'exit code 137'])
  expect(verdict.reasons[0]).toBe('the target died: exit code 137')
})

test.each([
  ['at the first noise', NOISE_FROM_US + 100 * MS, 0],
  ['in silence', SILENCE_FROM_US + 900 * MS, 1],
  ['late in the first block of a pair', PAIRS_FROM_US + 950 * MS, 2],
  ['in the drain after it', PAIRS_FROM_US + 1100 * MS, 2],
  ['late in the second block of a pair', PAIRS_FROM_US + 1960 * MS, 3],
])('a foreign target that dies %s is failed with the reason, and the evidence is kept', async (_, us, blocks) => {
  const { running, read } = begin(diesAt(us))
  const { verdict, evidence } = await running
  expect(evidence.targetDied).toMatch(
    /^it does not answer any more \(3 attempts failed, the last with: ECONNREFUSED\), and 0 of \d{3,} quiet/,
  )
  expect(verdict.outcome).toBe('fail')
  expect(verdict.reasons[0]).toContain('the target died: it does not answer any more')
  expect(read().blocks).toHaveLength(blocks)
})

test('a foreign target that takes connections and answers nothing any more is failed in bounded time', async () => {
  const us = PAIRS_FROM_US + 300 * MS
  const hang = (now: number) => (now < us ? Promise.resolve() : never<void>())
  const { crew, running } = begin({
    fate: (due) => (due < us ? 4 : 'unfinished'),
    backlog: async (now) => (now < us ? 0 : 1),
    reach: hang,
  })
  const { verdict } = await running
  expect(verdict.outcome).toBe('fail')
  expect(verdict.reasons[0]).toContain('no answer within 500 ms')
  expect(crew.nowUs()).toBeLessThan(30_000 * MS)
})

test('a target that restarts within the drain is not taken for dead', async () => {
  const down = (now: number) => now >= PAIRS_FROM_US + 980 * MS && now < PAIRS_FROM_US + 1600 * MS
  const { evidence } = await begin({
    fate: (us) => (down(us) ? 'failed' : 4),
    backlog: (now) => (down(now) ? gone() : Promise.resolve(0)),
    reach: (now) => (down(now) ? gone() : Promise.resolve()),
  }).running
  expect(evidence.targetDied).toBeNull()
  expect(evidence.pairsEnded).toBe('the target could not be reached for a while in a drain of pair 1')
})

test('a backlog that outlives a drain, of a target that answers, ends the pairs and says so', async () => {
  const { evidence } = await begin({ backlog: async (now) => (now < PAIRS_FROM_US ? 0 : 40) }).running
  expect(evidence.targetDied).toBeNull()
  expect(evidence.pairsEnded).toBe('the noisy backlog of pair 1 outlived a drain of 3 blocks')
})

test('a target that refuses to be asked for its backlog is measured to the end, and that is said', async () => {
  const { evidence, verdict } = await begin({ backlog: async () => null }).running
  expect(evidence.blocks.filter(({ pair }) => pair !== null)).toHaveLength(8)
  const drained = verdict.preconditions.find(({ name }) => name === 'noise-drained')
  expect(drained).toMatchObject({ held: true, spoils: 'pass' })
  expect(drained?.detail).toContain('seen to be drained 0 of 9 times')
  expect(drained?.detail).toContain('not-visible (the target refused to be asked) 9 times')
})

test('where drains were not seen, placebo blocks that are slower than silence spoil a pass', async () => {
  const { verdict } = await begin({
    capabilities: [],
    fate: (us) => (us < PAIRS_FROM_US + 200 * MS ? 4 : 12),
  }).running
  const drained = verdict.preconditions.find(({ name }) => name === 'noise-drained')
  expect(drained).toMatchObject({ held: false, spoils: 'pass' })
  expect(drained?.detail).toContain('not-offered 9 times')
})

test('an error in the pairs keeps what was measured before it, says so, and is told', async () => {
  const play: Play = {
    onNoise: (_, times) => {
      if (times > 2 + 3 * 2) throw new Error('the judge stumbled')
    },
  }
  const { running, read, kept, out } = begin(play)
  await expect(running).rejects.toThrow('the judge stumbled')
  expect(kept).toEqual([out])
  const evidence = read()
  expect(evidence.brokeOff).toBe('the judge stumbled')
  expect(evidence.blocks.filter(({ pair }) => pair !== null)).toHaveLength(6)
  const { verdict } = judgeFlood(out)
  expect(verdict.outcome).toBe('inconclusive')
  expect(verdict.reasons.join('\n')).toContain('the run broke off: the judge stumbled')
  expect(readdirSync(out).sort()).toEqual(['evidence.json', 'histograms.hlog', 'journal.ndjson'])
})

test('a noise maker that stumbles over the end of its target does not hide it', async () => {
  const us = PAIRS_FROM_US + 2500 * MS
  const { running, crew } = begin(diesAt(us))
  const { block } = crew.noise
  crew.noise = {
    ...crew.noise,
    block: async (...order) => {
      const leftMs = (us - crew.nowUs()) / MS
      if (leftMs > 1000) return await block(...order)
      await crew.wait(leftMs + 1)
      throw new Error('the answer was cut off')
    },
  }
  const { evidence, verdict } = await running
  expect(evidence.targetDied).toContain('ECONNREFUSED')
  expect(verdict.outcome).toBe('fail')
  // The block in which it died belongs to no pair.
  expect(evidence.blocks.map(({ pair }) => pair)).toEqual([null, 1, 1, null])
})

test('an error before there is a pair leaves no folder', async () => {
  const play: Play = {
    onNoise: () => {
      throw new Error('the noise cannot be made')
    },
  }
  const { running, out, kept } = begin(play)
  await expect(running).rejects.toThrow('the noise cannot be made')
  expect([existsSync(out), kept]).toEqual([false, []])
})

test('a thread that ends in the middle of a block ends the run at once', async () => {
  const thread = Promise.withResolvers<never>()
  thread.promise.catch(() => {})
  const play: Play = {
    failed: thread.promise,
    onNoise: (_, times) => {
      if (times === 2 + 2 * 2 + 1) thread.reject(new Error('the generator thread ended in mid-run'))
    },
  }
  const { running, crew, read } = begin(play)
  let savedUs = 0
  crew.control = {
    take: async () => {
      savedUs = crew.nowUs()
      return { samples: 100, maxUs: 100, p99Us: 100 }
    },
  }
  await expect(running).rejects.toThrow('the generator thread ended in mid-run')
  // Two pairs, and next to nothing of the third.
  expect(savedUs).toBeGreaterThan(PAIRS_FROM_US + 4000 * MS)
  expect(savedUs).toBeLessThan(PAIRS_FROM_US + 4500 * MS)
  expect(read().blocks.filter(({ pair }) => pair !== null)).toHaveLength(4)
})

test('a control process that gives no answer is a precondition that did not hold', async () => {
  const { verdict } = await begin({ control: { take: async () => null } }).running
  const control = verdict.preconditions.find(({ name }) => name === 'hiccups-control')
  expect(control).toMatchObject({ held: false, spoils: 'both' })
  expect(control?.detail).toContain('gave no answer')
})

test('a broken finding ends the pairs, and the words say so', async () => {
  const crew = begin({})
  const leak = { atUs: 1, receiver: 0, owner: 1, digest: 'd', encoding: 'plain', where: 'answer to start' }
  const { generator } = crew.crew
  crew.crew.generator = {
    collect: async (...args) => ({ ...(await generator.collect(...args)), sightings: [leak] }),
  }
  const { evidence, verdict } = await crew.running
  expect(evidence.pairsEnded).toBe('canaries-stay-with-tenant is broken, which further pairs cannot change')
  expect(verdict.outcome).toBe('fail')
  expect(verdict.reasons.join('\n')).toContain('pairs ended early, after 3 of 4')
})

test('the budget bounds blocks, drains and waits by the clock, and plans its pairs by the options alone', async () => {
  const quick = await begin({}, { budgetS: 8 }).running
  expect([quick.evidence.pairsPlanned, quick.evidence.pairsEnded]).toEqual([3, null])
  let [asked, began] = [-1e9, 0]
  // Each drain takes a second.
  const backlog = async (now: number) => {
    if (now - asked > 500 * MS) began = now
    asked = now
    return now - began < 1000 * MS ? 1 : 0
  }
  const { crew, running } = begin({ backlog }, { budgetS: 8 })
  const { evidence } = await running
  expect(evidence.pairsPlanned).toBe(3)
  expect(evidence.pairsEnded).toMatch(/^the budget of 8 s was used up, with 9\.\d s of blocks, drains and waits$/)
  expect(evidence.blocks.filter(({ pair }) => pair !== null)).toHaveLength(4)
  expect(crew.nowUs()).toBeLessThan((3 + 9.5) * 1e6)
})

test('an interrupt while a pair is being saved writes every operation once, and keeps none of the open ones as slow', async () => {
  const abort = new AbortController()
  const last = PAIRS_FROM_US + 1500 * MS
  const { crew, running, out } = begin({ fate: (us) => (us < last ? 4 : 1500) }, { signal: abort.signal })
  const { generator } = crew
  crew.generator = {
    collect: (from, to, within) => {
      if (to > last) abort.abort()
      return generator.collect(from, to, within)
    },
  }
  const { evidence, verdict } = await running
  expect(evidence.interrupted).toBe(true)
  const operations = readFileSync(join(out, 'journal.ndjson'), 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('{"t":"op"'))
    .map((line): { seq: number } => JSON.parse(line))
  expect(new Set(operations.map(({ seq }) => seq)).size).toBe(operations.length)
  for (const { slo, success } of verdict.tenants) expect([slo, success]).not.toContain('fail')
})
