// The doctor on machines that are made up. Refuses to install anything: its runner only writes down what it was told.

import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { doctor, type Machine, thisMachine } from '../../harness/cli/doctor.ts'
import { serverVersion } from '../../harness/stack/redis.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'partywall-test-doctor-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

interface Made {
  machine: Machine
  said: string[]
  printed: string[]
  asked: string[]
  ran: string[]
  policies: boolean[]
}

const REDIS_7 = 'Redis server v=7.0.15 sha=00000000:0 malloc=jemalloc-5.3.0 bits=64 build=ae4d7c971a948f0'

/** @param programs what is on its PATH; an installation adds redis-server */
function made(programs: string[], more: Partial<Machine> = {}, exitCode = 0): Made {
  const found = new Set(programs)
  const policyFile = join(folder, 'policy-rc.d')
  const record: Omit<Made, 'machine'> = { said: [], printed: [], asked: [], ran: [], policies: [] }
  const machine: Machine = {
    ...thisMachine(),
    nodeVersion: '24.21.0',
    onPath: (program) => (found.has(program) ? `/bin/${program}` : null),
    versionOf: () => REDIS_7,
    cores: 2,
    memoryGiB: 4,
    temporaryFolder: folder,
    isRoot: true,
    isTerminal: false,
    policyFile,
    ask: async (question) => {
      record.asked.push(question)
      return true
    },
    run: (command) => {
      record.ran.push(command.join(' '))
      record.policies.push(existsSync(policyFile))
      if (exitCode === 0 && /install|add|-Sy/.test(command.join(' '))) found.add('redis-server')
      return exitCode
    },
    say: (line) => record.said.push(line),
    print: (text) => record.printed.push(text),
    ...more,
  }
  return { machine, ...record }
}

const look = { fix: false, yes: false, json: false }
const fix = { fix: true, yes: false, json: false }
const APT = ['apt-get update', 'apt-get install -y --no-install-recommends redis-server']

describe('the doctor', () => {
  test('says that nothing is missing, a line for each thing, and ends with 0', async () => {
    const { machine, said, ran } = made(['valkey-server'])
    expect(await doctor(fix, machine)).toBe(0)
    expect(said.map((line) => line.replace(/:.*/, ''))).toEqual([
      'ok       Node',
      'ok       Redis',
      'ok       ports',
      'ok       temporary folder',
      'ok       cores',
      'ok       memory',
      'nothing is missing',
    ])
    expect(ran).toEqual([])
    expect(existsSync(machine.policyFile)).toBe(false)
  })

  test('names what is missing and the command that gets it, installs nothing, and ends with 4', async () => {
    const { machine, said, ran } = made(['apt-get'])
    expect(await doctor(look, machine)).toBe(4)
    expect(said.find((line) => line.startsWith('missing  Redis'))).toContain(APT.join(' && '))
    expect(said.at(-1)).toContain('npm run setup')
    expect(ran).toEqual([])
  })

  test.each([
    ['20.19.0', 4],
    ['22.21.9', 4],
    ['22.22.0', 0],
    ['24.0.0', 0],
  ])('judges Node %s', async (nodeVersion, code) => {
    expect(await doctor(look, made(['redis-server'], { nodeVersion }).machine)).toBe(code)
  })

  test.each([
    [REDIS_7, 'Redis 7.0.15, /bin/redis-server'],
    ['Redis server v=8.2.0 sha=00000000:1 malloc=libc bits=64 build=x', 'Redis 8.2.0, /bin/redis-server'],
    ['Valkey server v=8.1.3 sha=00000000:0 malloc=libc bits=64 build=x', 'Valkey 8.1.3, /bin/redis-server'],
  ])('takes a server that is new enough, and says what it is: %s', async (text, detail) => {
    const { machine, said } = made(['redis-server'], { versionOf: () => text })
    expect(await doctor(look, machine)).toBe(0)
    expect(said).toContain(`ok       Redis: ${detail}`)
  })

  test.each([
    ['Redis server v=6.0.16 sha=00000000:0 malloc=jemalloc-5.2.1 bits=64 build=x', '/bin/redis-server is Redis 6.0.16'],
    ['Redis server v=3.2.1', '/bin/redis-server is Redis 3.2.1'],
    ['Server 7', '/bin/redis-server does not say its version'],
    [null, '/bin/redis-server does not say its version'],
  ])('does not take one that is too old or mute for one: %s', async (text, found) => {
    for (const options of [look, fix]) {
      const { machine, said } = made(['redis-server', 'apt-get'], { versionOf: () => text })
      expect(await doctor(options, machine)).toBe(4)
      expect(said.find((line) => line.startsWith('missing  Redis'))).toContain(`${found}; 7.0 or newer is wanted`)
      expect(said.join('\n')).toContain('7.0 or newer first on PATH')
      expect(said).not.toContain('nothing is missing')
    }
  })

  test('asks the server of this machine within its 3 s', () => {
    const machine = thisMachine()
    const file = machine.onPath('redis-server') ?? machine.onPath('valkey-server') ?? ''
    expect(serverVersion(machine.versionOf(file) ?? '')).toMatchObject({ major: expect.any(Number) })
    expect(machine.versionOf(join(folder, 'absent'))).toBeNull()
  })

  test('doubts a small machine without failing', async () => {
    const { machine, said } = made(['redis-server'], { cores: 1, memoryGiB: 0.5 })
    expect(await doctor(look, machine)).toBe(0)
    expect(said.filter((line) => line.startsWith('doubtful'))).toHaveLength(2)
  })

  test('finds a temporary folder that cannot be written', async () => {
    const { machine, said } = made(['redis-server'], { temporaryFolder: join(folder, 'absent') })
    expect(await doctor(look, machine)).toBe(4)
    expect(said.join('\n')).toContain('TMPDIR')
  })

  test('prints one JSON document', async () => {
    const { machine, printed } = made([])
    expect(await doctor({ ...look, json: true }, machine)).toBe(4)
    expect(JSON.parse(printed.join(''))[1]).toMatchObject({ what: 'Redis', state: 'missing' })
  })
})

describe('doctor --fix', () => {
  test.each([
    ['apt-get', APT],
    ['dnf', ['dnf install -y redis']],
    ['apk', ['apk add redis']],
    ['pacman', ['pacman -Sy --noconfirm --needed valkey']],
  ])('goes ahead without a terminal with %s, and says what it runs', async (program, commands) => {
    const { machine, said, asked, ran } = made([program])
    expect(await doctor(fix, machine)).toBe(0)
    expect(ran).toEqual(commands)
    expect(asked).toEqual([])
    for (const command of commands) expect(said).toContain(`running: ${command}`)
  })

  test('upgrades a Redis that is too old, where the package manager has a newer one', async () => {
    const { machine, said, ran } = made(['redis-server', 'apt-get'])
    const old = { ...machine, versionOf: () => (ran.length < 2 ? 'Redis server v=6.0.16' : REDIS_7) }
    expect(await doctor(fix, old)).toBe(0)
    expect(ran).toEqual(APT)
    expect(said).toContain('ok       Redis: Redis 7.0.15, /bin/redis-server')
    expect(said.at(-1)).toBe('nothing is missing')
  })

  test('asks on a terminal, and takes no for an answer', async () => {
    const { machine, asked, ran } = made(['apt-get'], { isTerminal: true })
    const refusing: Machine = {
      ...machine,
      ask: async (question) => {
        asked.push(question)
        return false
      },
    }
    expect(await doctor(fix, refusing)).toBe(4)
    expect(asked).toHaveLength(1)
    expect(ran).toEqual([])
  })

  test('does not ask on a terminal with --yes', async () => {
    const { machine, asked, ran } = made(['apt-get'], { isTerminal: true })
    expect(await doctor({ ...fix, yes: true }, machine)).toBe(0)
    expect([asked, ran]).toEqual([[], APT])
  })

  test('without the right prints the command and ends with 4', async () => {
    const { machine, said, ran } = made(['apt-get', 'sudo'], { isRoot: false })
    expect(await doctor(fix, machine)).toBe(4)
    expect(said.join('\n')).toContain(`Run as root:\n  ${APT.join(' && ')}`)
    expect(ran).toEqual([])
  })

  test('needs no root where brew installs', async () => {
    const { machine, ran } = made(['brew'], { isRoot: false })
    expect(await doctor(fix, machine)).toBe(0)
    expect(ran).toEqual(['brew install redis'])
  })

  test('stops at a command that fails, names it, and ends with 4', async () => {
    const { machine, said, ran } = made(['apt-get'], {}, 100)
    expect(await doctor(fix, machine)).toBe(4)
    expect(ran).toEqual(['apt-get update'])
    expect(said.join('\n')).toContain('`apt-get update` ended with exit code 100')
  })

  test('knows no package manager: says so and ends with 4', async () => {
    const { machine, said } = made([])
    expect(await doctor(fix, machine)).toBe(4)
    expect(said.join('\n')).toContain('by hand')
  })

  test('lets the package start no service meanwhile, and takes the rule back', async () => {
    const { machine, policies } = made(['apt-get'])
    await doctor(fix, machine)
    expect(policies).toEqual([true, true])
    expect(existsSync(machine.policyFile)).toBe(false)
  })

  test('takes the rule back when the installation fails', async () => {
    const { machine } = made(['apt-get'], {}, 1)
    await doctor(fix, machine)
    expect(existsSync(machine.policyFile)).toBe(false)
  })

  test("leaves an administrator's rule as it is", async () => {
    const { machine } = made(['apt-get'])
    writeFileSync(machine.policyFile, '#!/bin/sh\nexit 0\n', { mode: 0o755 })
    await doctor(fix, machine)
    expect(readFileSync(machine.policyFile, 'utf8')).toBe('#!/bin/sh\nexit 0\n')
    expect(statSync(machine.policyFile).mode & 0o777).toBe(0o755)
  })
})
