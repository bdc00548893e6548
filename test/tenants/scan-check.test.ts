// The self-tests of scanner and registry: a sound one finds all that is planted, and each broken one is told what it missed.

import { expect, test } from 'vitest'
import { Canaries } from '../../harness/tenants/canary.ts'
import { checkOwners } from '../../harness/tenants/owner-check.ts'
import { checkScanner } from '../../harness/tenants/scan-check.ts'
import { scannerOf } from '../../harness/tenants/scanner.ts'
import { skipping } from '../calibration/broken/scanner-skips.ts'

const canaries = new Canaries('key of this test')
const sound = scannerOf(canaries)

test('a sound scanner finds 10 forms in bodies and streams and 7 in headers', () => {
  expect(checkScanner('it', sound, canaries)).toEqual({ who: 'it', planted: 27, found: 27, missed: [] })
})

test.each(skipping)('$what is found out', ({ scanner, missed }) => {
  const check = checkScanner('it', scanner(sound), canaries)
  expect(check.missed.sort()).toEqual([...missed].sort())
  expect(check.found).toBeLessThan(check.planted)
})

test('one that throws, and one of another key, find nothing', () => {
  const throws = () => {
    throw new TypeError('no bytes')
  }
  const { found, missed } = checkScanner('it', { ...sound, headers: throws }, canaries)
  expect([found, missed[0]]).toEqual([20, 'plain in headers (threw: no bytes)'])
  expect(checkScanner('it', scannerOf(new Canaries('another key')), canaries).found).toBe(0)
})

test('each canary comes back to its owner, or is told whom it was taken for', () => {
  const labels = ['a', 'b', 'c']
  const minted = labels.map((_, owner) => canaries.mintFor(owner).mint())
  const labelOf = (owner: number) => labels[owner] ?? 'unknown'
  expect(checkOwners(labels, minted, sound, labelOf)).toEqual({ tenants: 3, mistaken: [] })
  const swapped = (owner: number) => labelOf(owner === 0 ? 1 : owner)
  expect(checkOwners(labels, minted, sound, swapped).mistaken).toEqual([{ owner: 'a', takenFor: 'b' }])
  expect(checkOwners(labels, minted.slice(0, 2), sound, labelOf).mistaken).toEqual([{ owner: 'c', takenFor: 'nobody' }])
})
