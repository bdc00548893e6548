// Seeded defect: a turn is charged the same for every run, whatever it took. Counts a trip for every run that took more than
// twice what was charged. Refuses to change anything else.

import type { EngineParts } from '../index.ts'
import { patched } from './patched.ts'
import type { Trips } from './trips.ts'

export const turnsByCount = (trips: Trips): EngineParts =>
  patched(trips, [
    ['estimated = estimated + guess', 'estimated = estimated + took'],
    ['estimate = estimate + (took - estimate) / 8', 'if took > 2 * estimate then @TRIP@ end'],
  ])
