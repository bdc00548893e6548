import { createHash } from 'node:crypto'
import { gzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { CANARY_LENGTH, Canaries } from '../../harness/tenants/canary.ts'

const canaries = new Canaries('key of this test')

test('every canary is different and names its owner', () => {
  const mint = canaries.mintFor(37)
  const made = Array.from({ length: 500 }, () => mint.mint())
  expect(new Set(made).size).toBe(500)
  expect(mint.issued).toBe(500)
  for (const canary of made) {
    expect(canary).toHaveLength(CANARY_LENGTH)
    expect(canaries.read(canary)?.owner).toBe(37)
  }
})

const canary = canaries.mintFor(5).mint()
/** Each character of a text, however it could also be written. */
const each = (text: string, write: (byte: number) => string) => [...Buffer.from(text)].map(write).join('')
const hexOf = (byte: number) => byte.toString(16).padStart(2, '0')
const utf16be = (text: string) => Buffer.from(text, 'utf16le').swap16()

const encodings: Record<string, [label: string, encode: (padding: number) => Buffer]> = {
  plain: ['plain', (n) => Buffer.from('x'.repeat(n) + canary)],
  'JSON beside quotes': ['plain', (n) => Buffer.from(JSON.stringify({ deep: [`${'"'.repeat(n)}${canary}`] }))],
  'JSON, every character escaped': [
    'json',
    (n) => Buffer.from(`{"deep":"${each('x'.repeat(n) + canary, (byte) => `\\u00${hexOf(byte)}`)}"}`),
  ],
  'JSON, one character escaped': [
    'json',
    (n) =>
      Buffer.from(`"${canary.slice(0, n)}\\u00${hexOf(canary.charCodeAt(n)).toUpperCase()}${canary.slice(n + 1)}"`),
  ],
  'JSON within JSON, escaped': [
    'json',
    (n) => Buffer.from(JSON.stringify(each('x'.repeat(n) + canary, (byte) => `\\u00${hexOf(byte)}`))),
  ],
  'a URL': ['plain', (n) => Buffer.from(`?q=${encodeURIComponent('ä'.repeat(n) + canary)}`)],
  'a URL, every character escaped': [
    'url',
    (n) => Buffer.from(`?q=${each('ä'.repeat(n) + canary, (byte) => `%${hexOf(byte)}`)}`),
  ],
  'a URL, one character escaped': [
    'url',
    (n) => Buffer.from(`?q=${canary.slice(0, n)}%${hexOf(canary.charCodeAt(n)).toUpperCase()}${canary.slice(n + 1)}`),
  ],
  base64: ['base64', (n) => Buffer.from(Buffer.from(`${'x'.repeat(n) + canary}yy`).toString('base64'))],
  'base64 at the very end': ['base64', (n) => Buffer.from(Buffer.from('x'.repeat(n) + canary).toString('base64'))],
  base64url: ['base64', (n) => Buffer.from(Buffer.from(`${'ÿ'.repeat(n) + canary}ÿ`).toString('base64url'))],
  hex: ['hex', (n) => Buffer.from(Buffer.from('x'.repeat(n) + canary).toString('hex'))],
  'upper-case hex': ['hex', (n) => Buffer.from(each('x'.repeat(n) + canary, (byte) => hexOf(byte).toUpperCase()))],
  'UTF-16 LE': ['utf16', (n) => Buffer.from(`${'世'.repeat(n) + canary}世`, 'utf16le')],
  'UTF-16 BE': ['utf16', (n) => utf16be(`${'世'.repeat(n) + canary}世`)],
  gzip: ['gzip', (n) => gzipSync(Buffer.from('x'.repeat(n) + canary))],
  'gzip in the middle of other bytes': [
    'gzip',
    (n) => Buffer.concat([Buffer.from('-'.repeat(n)), gzipSync(canary), Buffer.from('--')]),
  ],
  'gzip with a file name in its head': [
    'gzip',
    (n) => {
      const plain = gzipSync(canary)
      const head = Buffer.from(plain.subarray(0, 10))
      head[3] = 8
      return Buffer.concat([head, Buffer.from(`${'n'.repeat(n)}\0`), plain.subarray(10)])
    },
  ],
  'gzip that was cut short': ['gzip', (n) => gzipSync(Buffer.from('x'.repeat(n) + canary)).subarray(0, -8)],
  'gzip of escaped JSON': [
    'gzip',
    (n) => gzipSync(`"${each('x'.repeat(n) + canary, (byte) => `\\u00${hexOf(byte)}`)}"`),
  ],
}

test.each(Object.entries(encodings))('a canary is found in %s, once and at every offset', (_, [label, encode]) => {
  const digest = canaries.read(canary)?.digest
  for (let padding = 0; padding < 9; padding++) {
    expect(canaries.scan(encode(padding))).toEqual([{ owner: 5, digest, encoding: label }])
  }
})

test('one that is plain and one that is escaped beside it are both found, neither twice', () => {
  const [plain, escaped] = [canaries.mintFor(1).mint(), canaries.mintFor(2).mint()]
  const body = Buffer.from(`${plain} ${each(escaped, (byte) => `%${hexOf(byte)}`)}`)
  expect(canaries.scan(body).map(({ owner, encoding }) => [owner, encoding])).toEqual([
    [1, 'plain'],
    [2, 'url'],
  ])
})

test('a big innocent body holds none, whatever it looks like', () => {
  const runs = Array.from({ length: 2000 }, (_, i) => ({
    id: `t.${1_700_000_000_000 + i}-0`,
    link: `/runs?after=%3A%20%41${i}`,
    name: `\u0001\u00e4 pwcanar pwcanaryy ${'pwcanary'.slice(0, i % 9)}`,
    bytes: createHash('sha512')
      .update(String(i))
      .digest(i % 2 ? 'hex' : 'base64'),
  }))
  const text = JSON.stringify(runs)
  const bodies = [Buffer.from(text), gzipSync(text), Buffer.from(text, 'utf16le'), Buffer.from(`\x1f\x8b\x08${text}`)]
  for (const body of bodies) expect(canaries.scan(body)).toEqual([])
})

test('text that merely looks like a canary is none', () => {
  const forged = `${canary.slice(0, -1)}${canary.endsWith('0') ? '1' : '0'}`
  expect(canaries.scan(Buffer.from(forged))).toEqual([])
  expect(new Canaries('another key').scan(Buffer.from(canary))).toEqual([])
})

test('a sighting keeps a digest and never the canary', () => {
  const [seen] = canaries.scan(Buffer.from(canary))
  expect(seen?.digest).toMatch(/^[0-9a-f]{12}$/)
  expect(JSON.stringify(seen)).not.toContain(canary)
})
