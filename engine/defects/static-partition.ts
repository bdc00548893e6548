// Seeded defect: every tenant has two places of its own and no more, whoever else works. Counts a trip for every turn that was
// cut by that.

import type { EngineParts } from '../index.ts'
import { patched } from './patched.ts'
import type { Trips } from './trips.ts'

export const staticPartition = (trips: Trips): EngineParts =>
  patched(trips, [
    [
      'shed = claim(k, c, math.min(want, fits), tonumber(argv[7]), c.cap, c.queued_max)',
      `if c.cap > 2 and want > 2 then @TRIP@ end
    c.cap = math.min(c.cap, 2)
    shed = claim(k, c, math.min(want, fits), tonumber(argv[7]), c.cap, c.queued_max)`,
    ],
  ])
