// A redis-streams target file: which addresses it may name.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { redisStreamsTarget } from '../../harness/target/redis-streams.ts'

const folders: string[] = []
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
})

function refusal(redis: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'pw-streams-'))
  folders.push(folder)
  const file = join(folder, 'target.yaml')
  const lines = [`redis: '${redis}'`, 'stepMs: 0', 'tenants: [a, b]', "stream: 's:{id}'", "fields: { x: '{{canary}}' }"]
  writeFileSync(file, [...lines, 'group: g', 'done: acknowledged', ''].join('\n'))
  try {
    redisStreamsTarget(file)
  } catch (error) {
    return String(error)
  }
  return ''
}

test.each([
  ['redis://10.0.0.1:6379', 'target-not-loopback'],
  ['redis://user:hunter22@127.evil.example', 'target-not-loopback'],
  ['redis://:hunter22@127.0.0.1?host=10.0.0.1', 'takes no query'],
  ['http://127.0.0.1', 'no URL of a Redis'],
  ['127.0.0.1:6379', 'no URL of a Redis'],
])('%s is refused: %s', (redis, words) => {
  const said = refusal(redis)
  expect(said).toContain(words)
  expect(said).not.toContain('hunter22')
})

test('this machine is taken, however it is named', () => {
  for (const host of ['127.0.0.1', '127.1.2.3', 'localhost', '[::1]']) expect(refusal(`redis://${host}:6379`)).toBe('')
})
