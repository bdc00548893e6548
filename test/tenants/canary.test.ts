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
const encodings: Record<string, (padding: number) => Buffer> = {
  plain: (n) => Buffer.from('x'.repeat(n) + canary),
  json: (n) => Buffer.from(JSON.stringify({ deep: [`${'"'.repeat(n)}${canary}`] })),
  url: (n) => Buffer.from(`?q=${encodeURIComponent('ä'.repeat(n) + canary)}`),
  base64: (n) => Buffer.from(Buffer.from(`${'x'.repeat(n) + canary}yy`).toString('base64')),
  base64url: (n) => Buffer.from(Buffer.from('x'.repeat(n) + canary).toString('base64url')),
  hex: (n) => Buffer.from(Buffer.from('x'.repeat(n) + canary).toString('hex')),
  'upper-case hex': (n) =>
    Buffer.from(
      Buffer.from('x'.repeat(n) + canary)
        .toString('hex')
        .toUpperCase(),
    ),
  'UTF-16': (n) => Buffer.from('x'.repeat(n) + canary, 'utf16le'),
  gzip: (n) => gzipSync(Buffer.from('x'.repeat(n) + canary)),
}

for (const [name, encode] of Object.entries(encodings)) {
  test(`a canary is found in ${name}, at every offset`, () => {
    for (let padding = 0; padding < 9; padding++) {
      const found = canaries.scan(encode(padding))
      expect(found.map(({ owner }) => owner)).toEqual([5])
    }
  })
}

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
