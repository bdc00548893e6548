// What becomes of a run whose target is unwell, unfair, slow to drain, or dies, at every time when it can. The target is a
// function of the run's time; a real one that is killed is the live suite's affair.

import { existsSync } from 'node:fs'
import { afterEach, expect, test } from 'vitest'
import { never } from './fake-crew.ts'
import {
  begin,
  diesAt,
  gone,
  MS,
  NOISE_FROM_US,
  NOISE_TO_US,
  PAIRS_FROM_US,
  SILENCE_FROM_US,
  tidy,
} from './fake-run.ts'

afterEach(tidy)

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
  const { verdict } = await begin({
    fate: (us) => (us < NOISE_FROM_US || Math.floor(us / 4000) % 7 > 0 ? 4 : 'failed'),
  }).running
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
  expect(verdict.reasons[0]).toBe('the target died: exit code 137 (after 0 of 4 pairs, 0 blocks)')
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

test('a target that does nothing in one whole block, and is there when it is asked, is not taken for dead', async () => {
  const stands = (us: number) => us >= PAIRS_FROM_US && us < PAIRS_FROM_US + 1000 * MS
  const { evidence, verdict } = await begin({ fate: (us) => (stands(us) ? 'failed' : 4) }).running
  expect(evidence.blocks[1]?.tenants.reduce((sum, { ok }) => sum + ok, 0)).toBe(0)
  expect([evidence.targetDied, verdict.interference.pairs]).toEqual([null, 4])
})

test('a target that does nothing any more, and cannot be asked, is failed with the count', async () => {
  const crew = begin({ fate: (us) => (us < PAIRS_FROM_US ? 4 : 'failed') })
  delete crew.crew.target.reach
  const { evidence } = await crew.running
  expect(evidence.targetDied).toBe('0 of 200 quiet operations ended well in block 1 (noise)')
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
