// Seeded defect: a new tenant begins at zero, as if it had everything still to claim. Counts a trip for every tenant that began
// so.

import type { EngineParts } from '../index.ts'
import { patched } from './patched.ts'
import type { Trips } from './trips.ts'

export const newcomerFirst = (trips: Trips): EngineParts =>
  patched(trips, [
    [
      'return math.max(s.floor, tonumber(tag or s.floor))',
      `if not tag and s.floor > 0 then @TRIP@ end
  return math.max(tag and s.floor or 0, tonumber(tag or 0))`,
    ],
  ])
