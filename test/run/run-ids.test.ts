import { expect, test } from 'vitest'
import { RunIds } from '../../harness/run/run-ids.ts'

const numbered = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => `r${from + i}`)
const rounds = (ids: RunIds, owner: string, from: number, to: number) =>
  Array.from({ length: to - from }, (_, i) => ids.inRound(owner, from + i))

test('everybody asks about the same run in a round, and about another in the next', () => {
  const ids = new RunIds()
  ids.learn('a', numbered(1, 9))
  expect([ids.inRound('a', 0), ids.inRound('a', 0), ids.inRound('a', 0)]).toEqual(['r9', 'r9', 'r9'])
  expect(ids.inRound('a', 1)).toBe('r1')
})

test('newest, oldest and middle take turns, and no run is asked about twice before all were', () => {
  const ids = new RunIds()
  ids.learn('a', numbered(1, 9))
  const asked = rounds(ids, 'a', 0, 9)
  expect(asked.slice(0, 6)).toEqual(['r9', 'r1', 'r5', 'r8', 'r2', 'r6'])
  expect(asked.toSorted()).toEqual(numbered(1, 9))
  expect(rounds(ids, 'a', 9, 12)).toEqual(['r9', 'r1', 'r5'])
})

test('runs from early on are still asked about when newer ones came, and one that is told again is no new one', () => {
  const ids = new RunIds()
  ids.learn('a', numbered(1, 20))
  const early = rounds(ids, 'a', 0, 2)
  ids.learn('a', numbered(11, 30))
  const asked = [...early, ...rounds(ids, 'a', 2, 30)]
  expect(new Set(asked)).toEqual(new Set(numbered(1, 30)))
  expect(asked).toHaveLength(30)
})

test('without ids there is nothing to ask, until some are learned in the same round', () => {
  const ids = new RunIds()
  expect(ids.inRound('a', 0)).toBeUndefined()
  ids.learn('a', ['', 'r1'])
  expect(ids.inRound('a', 0)).toBe('r1')
})

test('an id that two tenants have is noticed', () => {
  const ids = new RunIds()
  ids.learn('a', ['17', '18'])
  ids.learn('a', ['17'])
  ids.learn('b', ['16'])
  expect(ids.shared).toBe(false)
  ids.learn('b', ['17'])
  expect(ids.shared).toBe(true)
})

const shapes: [id: string, stranger: RegExp][] = [
  ['f47ac10b-58cc-4372-a567-0e02b2c3d479', /^f47ac10b-58cc-4372-a567-0e0[1-9]{9}$/],
  ['01ARZ3NDEKTSV4RRFFQ69G5FAV', /^01ARZ3NDEKTSV4RRF[1-9]{9}$/],
  ['V1StGXR8_Z5jdHi6B-myT', /^V1StGXR8_Z5[1-9]{6}-[1-9]{3}$/],
  ['quiet-1.1700000000000-0', /^quiet-1\.1700000000000-[1-9]{9}$/],
  ['job-99', /^job-[1-9]{9}$/],
  ['workflow17', /^workflow[1-9]{9}$/],
  ['abcdef01-2345-6789-abcd-abcdefab0123', /^abcdef01-2345-6789-abcd-abc[1-9]{9}$/],
  ['17', /^[1-9]{9}$/],
  ['999999999', /^[1-9]{9}$/],
  ['ab', /^ab[1-9]{9}$/],
  ['ä/ö', /^ä\/ö[1-9]{9}$/],
]
test.each(shapes)('an id like %s that nobody has is never that id, a known one or one made before', (id, shape) => {
  const ids = new RunIds()
  const known = Array.from({ length: 50 }, () => new RunIds().stranger(id))
  const twin = new RunIds()
  for (let i = 0; i < 50; i++) known.push(twin.stranger(id))
  ids.learn('a', [id, ...known])
  const made = Array.from({ length: 500 }, () => ids.stranger(id))
  expect(new Set([...made, ...known, id]).size).toBe(500 + new Set([...known, id]).size)
  for (const stranger of made) expect(stranger).toMatch(shape)
})
