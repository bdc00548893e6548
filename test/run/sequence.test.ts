// Whole runs with a crew that does nothing, on a clock of their own: how they end, what is kept, and what is said.

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { judgeFlood } from '../../harness/run/assemble.ts'
import type { Play } from './fake-crew.ts'
import { begin, MS, PAIRS_FROM_US, tidy } from './fake-run.ts'

afterEach(tidy)

test('a healthy target is measured in all its pairs, and every drain is recorded', async () => {
  const { verdict, evidence } = await begin({}).running
  expect(verdict.preconditions.filter(({ held }) => !held)).toEqual([])
  expect([evidence.pairsEnded, evidence.targetDied, evidence.brokeOff]).toEqual([null, null, null])
  expect(evidence.drains).toHaveLength(1 + 2 * evidence.pairsPlanned)
  expect(evidence.drains.every(({ end }) => end === 'seen')).toBe(true)
  expect(evidence.rehearsed).toEqual({ ok: 50, offered: 50 })
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
  expect(verdict.reasons.join('\n')).toMatch(/the run broke off after \d+ blocks: the judge stumbled/)
  expect(readdirSync(out).sort()).toEqual(['evidence.json', 'histograms.hlog', 'journal.ndjson'])
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
  const cutBlock = evidence.blocks.at(-1)
  expect(cutBlock?.pair).toBeNull()
  // The last half second's operations, 31 or 32 of each tenant, are neither failed nor well.
  for (const { cut, ok, offered } of cutBlock?.tenants ?? []) {
    expect(cut?.open).toBe(offered - ok)
    expect([31, 32]).toContain(cut?.open)
  }
  for (const { slo, success } of verdict.tenants) expect([slo, success]).not.toContain('fail')
})
