import { describe, expect, test } from 'vitest'
import { acts } from '../../harness/acts/list.ts'
import { expected } from '../../harness/calibration/expected.ts'
import { cleanResult, type DefectRow, matrixMarkdown, outcomeOf, resultOf } from '../../harness/calibration/matrix.ts'
import { actProbes } from '../../harness/probes/act-probes.ts'
import { listDefects } from '../../harness/target/seeded-defects.ts'

const shown = (finding: 'held' | 'broken' | 'inconclusive' | 'not-applicable') => [
  { probe: 'p', finding, reason: 'r' },
  { probe: 'other', finding: 'broken' as const, reason: '' },
]

describe('a seeded defect is', () => {
  test.each([
    ['caught', 'broken', 3],
    ['escaped', 'held', 3],
    ['inconclusive', 'inconclusive', 3],
    ['inconclusive', 'not-applicable', 3],
    ['untripped', 'broken', 0],
    ['untripped', 'held', 0],
    ['untripped', 'inconclusive', 0],
  ] as const)('%s when its promise is %s after %i trips', (result, finding, trips) => {
    expect(resultOf(shown(finding), 'p', trips)).toBe(result)
  })

  test('inconclusive when its run could not begin', () => {
    expect(resultOf([], 'p', null)).toBe('inconclusive')
  })

  test('not caught by another promise that is broken', () => {
    expect(resultOf([{ probe: 'other', finding: 'broken', reason: '' }], 'p', 3)).toBe('inconclusive')
  })
})

test('a clean twin with anything broken is a false alarm, named', () => {
  expect(cleanResult(shown('held'))).toEqual({ result: 'false alarm', broken: ['other'], undecided: [] })
  expect(cleanResult(shown('inconclusive').slice(0, 1))).toMatchObject({ result: 'inconclusive', undecided: ['p'] })
  expect(cleanResult(shown('held').slice(0, 1)).result).toBe('clean')
  expect(cleanResult([], 'the target was not healthy')).toEqual({
    result: 'inconclusive',
    broken: [],
    undecided: ['the target was not healthy'],
  })
})

describe('the outcome', () => {
  const row = (result: DefectRow['result']): DefectRow => {
    return { id: 'M1', defect: 'd', probe: 'p', result, trips: 1, reason: 'r', alsoBroken: [], folder: 'd' }
  }
  const clean = (result: 'clean' | 'false alarm' | 'inconclusive') => {
    return { what: 'w', result, broken: [], undecided: [], folder: 'c' }
  }
  test.each([
    ['pass', 'caught', 'clean'],
    ['fail', 'escaped', 'clean'],
    ['fail', 'caught', 'false alarm'],
    ['fail', 'untripped', 'false alarm'],
    ['inconclusive', 'untripped', 'clean'],
    ['inconclusive', 'inconclusive', 'clean'],
    ['inconclusive', 'caught', 'inconclusive'],
  ] as const)('is %s with a defect %s and the twin %s', (outcome, result, twin) => {
    const matrix = { interrupted: false, defects: [row('caught'), row(result)], clean: [clean(twin)] }
    expect(outcomeOf(matrix)).toBe(outcome)
    expect(matrixMarkdown(matrix)).toContain(`# calibration: ${outcome}`)
  })

  test('of nothing is no pass', () => {
    expect(outcomeOf({ interrupted: false, defects: [], clean: [] })).toBe('inconclusive')
  })
})

test('every seeded defect has a promise that must catch it, and every promise is one that is asked', async () => {
  const names = (await listDefects()).map(({ name }) => name)
  expect([...new Set(expected.map(({ defect }) => defect))].sort()).toEqual([...names].sort())
  for (const e of expected) {
    if (e.in !== 'act') continue
    expect(actProbes.filter(({ name, act }) => name === e.probe && act === e.act)).toHaveLength(1)
  }
})

test('every act has a probe, and every probe an act', () => {
  expect([...new Set(actProbes.map(({ act }) => act))].sort()).toEqual(acts.map(({ name }) => name).sort())
})
