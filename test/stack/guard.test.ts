// The guard and its watchdog, with real processes. Refuses to fake a kill: a real parent is killed.

import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { z } from 'zod'
import { onPath, openGuard } from '../../harness/stack/guard.ts'
import { isAlive } from './processes.ts'

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url))
const WAITING = ['-e', "console.log('up'); setInterval(() => {}, 1e6)"]
const STUBBORN = ['-e', "process.on('SIGTERM', () => {}); console.log('up'); setInterval(() => {}, 1e6)"]

const left: string[] = []
afterEach(() => {
  for (const path of left.splice(0)) rmSync(path, { recursive: true, force: true })
})

function ownFolder(name: string): string {
  const path = join(tmpdir(), `${name}-${randomBytes(6).toString('hex')}`)
  mkdirSync(path)
  left.push(path)
  return path
}

const said = z.object({ dir: z.string(), pids: z.array(z.number()).length(2) })

async function startParent(args: string[], env: NodeJS.ProcessEnv) {
  const parent = spawn(process.execPath, [here('./parent.ts'), ...args], { stdio: ['ignore', 'pipe', 'inherit'], env })
  const ended = once(parent, 'exit')
  const [text] = await once(parent.stdout, 'data')
  return { parent, ended, ...said.parse(JSON.parse(String(text))) }
}

describe('a guard', () => {
  test('ends its processes and removes its folders when it is closed', async () => {
    const guard = await openGuard()
    const dir = guard.tempDir('test')
    writeFileSync(join(dir, 'file'), 'x')
    const child = guard.spawn(process.execPath, WAITING, { stdio: ['ignore', 'pipe', 'ignore'] })
    if (child.stdout) await once(child.stdout, 'data')
    expect(statSync(dir).mode & 0o777).toBe(0o700)
    await guard.close()
    expect(child.signalCode).toBe('SIGTERM')
    expect(existsSync(dir)).toBe(false)
  })

  test('kills a process that does not heed SIGTERM, after 3 s', async () => {
    const guard = await openGuard()
    const child = guard.spawn(process.execPath, STUBBORN, { stdio: ['ignore', 'pipe', 'ignore'] })
    if (child.stdout) await once(child.stdout, 'data')
    const before = performance.now()
    await guard.close()
    expect(child.signalCode).toBe('SIGKILL')
    expect(performance.now() - before).toBeGreaterThan(2900)
    expect(performance.now() - before).toBeLessThan(6000)
  })

  test('closes twice, and starts nothing afterwards', async () => {
    const guard = await openGuard()
    await Promise.all([guard.close(), guard.close()])
    expect(() => guard.spawn(process.execPath, WAITING)).toThrow('closed')
    expect(() => guard.tempDir('test')).toThrow('closed')
  })

  test('starts each process in a group of its own, so that Ctrl-C does not reach it', async () => {
    const guard = await openGuard()
    const child = guard.spawn(process.execPath, WAITING, { stdio: ['ignore', 'pipe', 'ignore'] })
    if (child.stdout) await once(child.stdout, 'data')
    expect(() => process.kill(-(child.pid ?? 0), 0)).not.toThrow()
    await guard.close()
  })

  test('refuses a folder name that is more than a name', async () => {
    const guard = await openGuard()
    expect(() => guard.tempDir('../elsewhere')).toThrow('not a name')
    expect(() => guard.tempDir('a\ndir b')).toThrow('not a name')
    await guard.close()
  })
})

describe('nothing is left', () => {
  const withoutSetpriv = { ...process.env, PATH: '/nowhere' }
  test.each([
    ['SIGKILL of the parent', [], process.env],
    ['SIGKILL of the parent where there is no setpriv', [], withoutSetpriv],
    ['an exit of the parent that closed nothing', ['exit'], withoutSetpriv],
  ])('after %s', async (_, args, env) => {
    const { parent, ended, dir, pids } = await startParent(args, env)
    if (args.length === 0) {
      expect(existsSync(dir)).toBe(true)
      expect(pids.map(isAlive)).toEqual([true, true])
      parent.kill('SIGKILL')
    }
    await ended
    await vi.waitFor(
      () => {
        expect(pids.map(isAlive)).toEqual([false, false])
        expect(existsSync(dir)).toBe(false)
      },
      { timeout: 5000, interval: 20 },
    )
  })
})

describe('the watchdog', () => {
  async function watchdogTold(lines: string[]): Promise<void> {
    const watchdog = spawn(process.execPath, [here('../../harness/stack/watchdog.ts')], {
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    await once(watchdog.stdout, 'data')
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) watchdog.kill(signal)
    watchdog.stdin.end(`${lines.join('\n')}\n`)
    const [code] = await once(watchdog, 'exit')
    expect(code).toBe(0)
  }

  test('removes what it was told of and not what it was told to forget, and heeds no signal', async () => {
    const goes = ownFolder('partywall-goes')
    const stays = ownFolder('partywall-stays')
    await watchdogTold([`dir ${goes}`, `dir ${stays}`, `forget-dir ${stays}`])
    expect(existsSync(goes)).toBe(false)
    expect(existsSync(stays)).toBe(true)
  })

  test('refuses any folder but one of ours directly under the temporary folder', async () => {
    const foreign = ownFolder('foreign')
    const nested = join(ownFolder('nested'), 'partywall-inside')
    mkdirSync(nested)
    const anchor = ownFolder('partywall-anchor')
    await watchdogTold([
      `dir ${foreign}`,
      `dir ${nested}`,
      `dir ${anchor}/../${foreign.slice(tmpdir().length + 1)}`,
      'dir /',
    ])
    expect([foreign, nested].map((path) => existsSync(path))).toEqual([true, true])
  })

  test('refuses process ids that nobody can have spawned', async () => {
    await watchdogTold(['pid 0', 'pid 1', 'pid -1', 'pid x', 'pid 1.5'])
    expect(isAlive(process.pid)).toBe(true)
  })
})

test('a program is found on PATH, or is not', () => {
  expect(onPath('sh')).toMatch(/\/sh$/)
  expect(onPath('sh', '/nowhere')).toBeNull()
})
