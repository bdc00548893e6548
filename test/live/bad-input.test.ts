// Bad input: one message that says what, where and how to mend it; the designed exit code; no stack; nothing left behind.

import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { refusal } from '../cli/said.ts'
import { folder, partywall, QUICK, start, tidy } from './partywall.ts'

afterEach(tidy)

/** @returns what was said, without the line that a run begins with */
async function refused(code: number, ...args: string[]): Promise<string> {
  const { code: ended, stdout, stderr } = await partywall(...args)
  expect([ended, stderr]).toEqual([code, expect.any(String)])
  expect(stdout).toBe('')
  expect(stderr).not.toMatch(/^\s+at /m)
  expect(stderr).not.toContain('broken invariant')
  expect(stderr.match(/^partywall: \[/gm)).toHaveLength(1)
  return stderr
}

/** The quick scenario, changed. */
function scenario(change: (text: string) => string): string {
  const text = readFileSync(QUICK, 'utf8')
  const changed = change(text)
  expect(changed).not.toBe(text)
  const file = join(folder(), 'mine.yaml')
  writeFileSync(file, changed)
  return file
}

const line = (file: string, text: string) =>
  readFileSync(file, 'utf8')
    .split('\n')
    .findIndex((one) => one.includes(text)) + 1

describe('a scenario', () => {
  test('that is not there is named, with the choices', async () => {
    const said = await refusal('run', 'nosy-neighbour')
    expect(said).toContain('nosy-neighbour')
    expect(said).toContain('noisy-neighbour')
  })

  test('with an unknown key is refused with file and line', async () => {
    const file = scenario((text) => text.replace('noise:', 'colour: blue\nnoise:'))
    const said = await refusal('run', file)
    expect(said).toContain(`${file}:${line(file, 'colour')}:`)
    expect(said).toContain('`colour`')
  })

  test('with an unknown role is refused with file and line', async () => {
    const file = scenario((text) => text.replace('role: noisy', 'role: loud'))
    const said = await refusal('run', file)
    expect(said).toContain(`${file}:${line(file, 'loud')}:`)
    expect(said).toMatch(/quiet.*noisy/)
  })

  test('with a negative rate is refused with file and line, and so is everything else that is wrong in it', async () => {
    const file = scenario((text) =>
      text.replace('arrivalsPerSecond: 100', 'arrivalsPerSecond: -5').replace('pairs: 6', 'pairs: 1'),
    )
    const said = await refusal('run', file)
    expect(said).toContain(`${file}:${line(file, '-5')}:`)
    expect(said).toContain('arrivalsPerSecond')
    expect(said).toContain(`${file}:${line(file, 'pairs: 1')}:`)
  })

  test('whose limits the engine would refuse is refused before anything is started', async () => {
    const file = scenario((text) => text.replace('concurrentRuns: 64', 'concurrentRuns: 20000'))
    const said = await refusal('run', file)
    expect(said).toContain(`${file}:${line(file, '20000')}:`)
    expect(said).toContain('tenants.0.limits.concurrentRuns: Too big: expected number to be <=10000')
  })

  test('with an alias that leads nowhere is refused with file and line', async () => {
    const file = scenario((text) => text.replace('pairs: 6', 'pairs: *six'))
    expect(await refusal('run', file)).toContain(`${file}:${line(file, '*six')}:`)
  })

  test('that is no YAML is refused with file and line', async () => {
    const file = scenario((text) => text.replace('tenants:', 'tenants: ]'))
    expect(await refusal('run', file)).toContain(`${file}:${line(file, 'tenants: ]')}:`)
  })
})

describe('the command line', () => {
  test.each([
    [['run', '--sed', '1'], 'sed'],
    [['run', '--redis', ''], '--redis has no value'],
    [['run', QUICK, '--budget', '1s'], 'at least 3'],
    [['judge', '/nowhere'], '/nowhere'],
  ])('that is wrong is refused, with the exit code of the process: %j', async (args, hint) => {
    expect(await refused(2, ...args)).toContain(hint)
  })

  test('naming a Redis that refuses ends with 4, and shows no password', async () => {
    const out = join(folder(), 'run')
    const said = await refused(4, 'run', QUICK, '--redis', 'redis://:hunter22@127.0.0.1:1', '--out', out)
    expect(said).toContain('127.0.0.1:1')
    expect(said).not.toContain('hunter22')
    expect(existsSync(out)).toBe(false)
  })
})

describe('a target', () => {
  const text = (port: number) => `http: http://127.0.0.1:${port}
stepMs: 1
tenants: [{ id: a, headers: { x: a } }, { id: b, headers: { x: b } }, { id: c, headers: { x: c } }, { id: d, headers: { x: d } }, { id: n, headers: { x: n } }]
start: { post: /jobs, json: {} }
done: response
`

  test('that is not there ends with 4 and leaves no folder', async () => {
    const place = folder()
    writeFileSync(join(place, 'target.yaml'), text(1))
    const said = await refused(4, 'run', QUICK, '--target', join(place, 'target.yaml'), '--out', join(place, 'run'))
    expect(said).toContain('http://127.0.0.1:1 does not answer')
    expect(readdirSync(place)).toEqual(['target.yaml'])
  })

  test('whose tenants turn out to have the same credential ends with 2, and does not show it', async () => {
    const file = join(folder(), 'target.yaml')
    const headers = (name: string) => `headers: { authorization: 'Bearer $${`{${name}}`}' }`
    const same = text(1)
      .replace('headers: { x: a }', headers('FIRST_OF_TWO'))
      .replace('headers: { x: b }', headers('SECOND_OF_TWO'))
    writeFileSync(file, same)
    const env = { FIRST_OF_TWO: 'hunter22', SECOND_OF_TWO: 'hunter22' }
    const { code, stderr } = await start(['run', QUICK, '--target', file, '--out', join(folder(), 'run')], env).ended
    expect([code, stderr]).toEqual([2, expect.stringContaining('[tenants-same]')])
    expect(stderr).toContain('the tenants a and b have the same headers')
    expect(stderr).not.toContain('hunter22')
  })

  test('whose file wants a variable that is not set ends with 2 and names it', async () => {
    const file = join(folder(), 'target.yaml')
    writeFileSync(
      file,
      text(1).replace('headers: { x: a }', `headers: { authorization: 'Bearer $${'{NOT_SET_HERE}'}' }`),
    )
    expect(await refused(2, 'run', QUICK, '--target', file)).toContain('NOT_SET_HERE')
  })

  test('that hangs up on everything ends with 4 before anything is judged', async () => {
    const server = createServer((socket) => {
      socket.on('error', () => {})
      socket.end('HTTP/1.1 500 no\r\ncontent-length: 0\r\nconnection: close\r\n\r\n')
    })
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
    const address = server.address()
    const place = folder()
    writeFileSync(join(place, 'target.yaml'), text(typeof address === 'object' && address ? address.port : 0))
    const run = start(['run', QUICK, '--target', join(place, 'target.yaml'), '--out', join(place, 'run')])
    const { code, stderr } = await run.ended
    server.close()
    expect(code).toBe(4)
    expect(stderr).toContain('[target-not-healthy] only 0 of')
    expect(readdirSync(place)).toEqual(['target.yaml'])
  })

  test('that cannot be started ends with 4 and leaves no folder', async () => {
    const place = folder()
    // An empty PATH holds no Redis: nothing private can be started.
    const { code, stderr } = await start(['run', QUICK, '--out', join(place, 'run')], { PATH: place }).ended
    expect(code).toBe(4)
    expect(stderr).toContain('[redis-missing]')
    expect(stderr).toContain('npm run setup')
    expect(readdirSync(place)).toEqual([])
  })
})

describe('--out', () => {
  test('that is a file, or a folder with something in it, is refused and left as it is', async () => {
    const place = folder()
    writeFileSync(join(place, 'file'), 'mine')
    expect(await refused(2, 'run', QUICK, '--out', join(place, 'file'))).toContain(join(place, 'file'))
    expect(await refused(2, 'run', QUICK, '--out', place)).toContain('is not empty')
    expect(await refused(2, 'run', QUICK, '--out', join(place, 'file', 'run'))).toContain('cannot write')
    expect(readFileSync(join(place, 'file'), 'utf8')).toBe('mine')
    expect(readdirSync(place)).toEqual(['file'])
  })

  test('that has no room, or loses it in mid-run, leaves nothing half-written', async (context) => {
    const place = folder()
    const disk = join(place, 'disk')
    mkdirSync(disk)
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=70m', 'tmpfs', disk], { stdio: 'ignore' })
    } catch {
      return context.skip('no right to mount a small disk here')
    }
    try {
      writeFileSync(join(disk, 'filler'), Buffer.alloc(30 << 20))
      expect(await refused(2, 'run', QUICK, '--out', join(disk, 'run'))).toContain('a run wants 64 MB')
      expect(readdirSync(disk)).toEqual(['filler'])

      writeFileSync(join(disk, 'filler'), '')
      const { said, ended } = start(['run', QUICK, '--out', join(disk, 'run')])
      await said('silence')
      try {
        writeFileSync(join(disk, 'filler'), Buffer.alloc(80 << 20))
      } catch {
        // Full, as it was meant to be.
      }
      const { code, stderr } = await ended
      expect(code).toBe(4)
      expect(stderr).toContain('[evidence-not-written]')
      expect(stderr).not.toMatch(/^\s+at /m)
      expect(readdirSync(disk)).toEqual(['filler'])
    } finally {
      execFileSync('umount', [disk])
    }
  })
})
