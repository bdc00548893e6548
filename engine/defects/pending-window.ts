// Seeded defect: who looks for runs that a dead worker left takes a window of a thousand for the whole, and gives up when it
// is full. Counts a trip for every look that found too many.

import type { EngineParts } from '../index.ts'
import { patched } from './patched.ts'
import type { Trips } from './trips.ts'

export const pendingWindow = (trips: Trips): EngineParts =>
  patched(trips, [
    [
      "'(' .. digits(c.now), 'LIMIT', 0, 100), {}\n",
      `'(' .. digits(c.now), 'LIMIT', 0, 100), {}
  if #overdue > 0 and redis.call('ZCARD', k.active) > 1000 then
    overdue = {}
    @TRIP@
  end
`,
    ],
  ])
