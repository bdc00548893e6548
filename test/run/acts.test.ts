import { expect, test } from 'vitest'
import { partsOf } from '../../harness/run/acts.ts'

const names = (list: ReadonlyArray<{ name: string }>) => list.map(({ name }) => name)

test('an act that kills the target plays when nobody else does, wherever it was asked for', () => {
  const { beside, inTurn, alone } = partsOf(['crash', 'hogs', 'rate', 'pending', 'cap'])
  expect([names(beside), names(inTurn), names(alone)]).toEqual([['rate'], ['hogs', 'cap'], ['crash', 'pending']])
})
