// Seeded defect: a turn is charged the same for every run, whatever it took. Counts a trip for every run that took more than
// twice what was charged. Refuses to change anything else.

import type { EngineParts } from '../index.ts'
import { patched } from './patched.ts'
import type { Trips } from './trips.ts'

export const turnsByCount = (trips: Trips): EngineParts =>
  patched(trips, [
    ['c.owed = c.owed + took - e.guess', ''],
    ['if not c.learnt then c.estimate, c.learnt = took, true end', ''],
    ['c.estimate = c.estimate + (took - c.estimate) / 8', 'if took > 2 * c.estimate then @TRIP@ end'],
  ])
