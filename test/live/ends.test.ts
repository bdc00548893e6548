// Runs that do not come to their planned end: interrupted, killed, the target dead. Refuses to ask politely where the
// point is that nobody was asked: processes are killed by SIGKILL.

import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect, test, vi } from 'vitest'
import { children, isAlive } from '../stack/processes.ts'
import { folder, QUICK, saved, start, tidy } from './partywall.ts'

afterEach(tidy)
const LIMIT_MS = 60_000

const alive = (pids: readonly number[]) => pids.filter(isAlive)

/** The quick scenario with short blocks: how a run ends does not depend on how long it measured. */
function short(): string {
  const file = join(folder(), 'short.yaml')
  const blocks = 'blocks: { pairs: 6, lengthMs: 500, settleMs: 100, silence: 1, warmUpMs: 800 }'
  writeFileSync(file, readFileSync(QUICK, 'utf8').replace(/^blocks: .*$/m, blocks))
  return file
}

/** @param temporary where it makes its temporary folders: one of the test's own, since other runs make theirs meanwhile */
const begin = (out: string, temporary = folder()) =>
  start(['run', short(), '--seed', '22', '--out', out], { TMPDIR: temporary })

test(
  'an interrupted run saves what it has, cleans up and ends with 130',
  async () => {
    const temporary = folder()
    const out = join(folder(), 'run')
    const { child, ended, said } = begin(out, temporary)
    await said('pair 1/6')
    const pids = children(child.pid ?? 0).map(({ pid }) => pid)
    expect(pids.length).toBeGreaterThanOrEqual(4)
    expect(readdirSync(temporary)).toHaveLength(1)
    child.kill('SIGINT')
    const { code, stderr } = await ended
    expect(code).toBe(130)
    expect(stderr).toContain('verdict: interrupted')
    const { evidence, verdict, files } = saved(out)
    expect(files).toEqual(['evidence.json', 'histograms.hlog', 'journal.ndjson', 'summary.md', 'verdict.json'])
    expect(evidence.interrupted).toBe(true)
    expect(evidence.blocks.filter(({ pair }) => pair === 1)).toHaveLength(2)
    expect(verdict.outcome).not.toBe('pass')
    expect(alive(pids)).toEqual([])
    expect(readdirSync(temporary)).toEqual([])
  },
  LIMIT_MS,
)

test(
  'a killed run leaves no process and no folder, its own unfinished one included',
  async () => {
    const temporary = folder()
    const place = folder()
    const out = join(place, 'deep', 'run')
    const { child, ended, said } = begin(out, temporary)
    await said('pair 1/6')
    expect(readdirSync(out)).toEqual(['histograms.hlog', 'journal.ndjson'])
    const pids = children(child.pid ?? 0).map(({ pid }) => pid)
    child.kill('SIGKILL')
    await ended
    await vi.waitFor(() => expect(alive(pids)).toEqual([]), { timeout: 10_000, interval: 50 })
    await vi.waitFor(() => expect(readdirSync(temporary)).toEqual([]), { timeout: 10_000, interval: 50 })
    await vi.waitFor(() => expect(readdirSync(place)).toEqual([]), { timeout: 10_000, interval: 50 })
  },
  LIMIT_MS,
)

test(
  'a target that dies under noise, after a healthy warm-up, is a fail with the reason',
  async () => {
    const out = join(folder(), 'run')
    const { child, ended, said } = begin(out)
    await said('pair 1/6')
    const engine = children(child.pid ?? 0).find(({ command }) => command.includes('engine/main.ts'))
    process.kill(engine?.pid ?? 0, 'SIGKILL')
    const { code, stderr } = await ended
    expect(code).toBe(1)
    expect(stderr).toContain("the target died: the engine's process ended by SIGKILL")
    expect(saved(out).verdict.outcome).toBe('fail')
  },
  LIMIT_MS,
)

test(
  'a Redis that dies in mid-run takes the target with it: a fail with the reason',
  async () => {
    const out = join(folder(), 'run')
    const { child, ended, said } = begin(out)
    await said('pair 1/6')
    const redis = children(child.pid ?? 0).find(({ command }) => /(redis|valkey)-server/.test(command))
    process.kill(redis?.pid ?? 0, 'SIGKILL')
    const { code, stderr } = await ended
    expect(code).toBe(1)
    expect(stderr).toMatch(/the target died: the private Redis ended by SIGKILL/)
    expect(saved(out).evidence.targetDied).toContain('the private Redis')
  },
  LIMIT_MS,
)

test(
  'a target that dies before the warm-up is over is an environment error, and leaves no folder',
  async () => {
    const out = join(folder(), 'run')
    const { child, ended, said } = begin(out)
    await said('warm-up')
    const engine = children(child.pid ?? 0).find(({ command }) => command.includes('engine/main.ts'))
    process.kill(engine?.pid ?? 0, 'SIGKILL')
    const { code, stderr } = await ended
    expect(code).toBe(4)
    expect(stderr).toContain('[target-died-early]')
    expect(existsSync(out)).toBe(false)
  },
  LIMIT_MS,
)
