// Seeded defect: the API refuses a payload that is too large, and nobody looks at one that is written straight into the
// stream. Counts a trip for every such entry that was taken.

import type { EngineParts } from '../index.ts'
import { patched } from './patched.ts'
import type { Trips } from './trips.ts'

export const oversizeTaken = (trips: Trips): EngineParts =>
  patched(trips, [
    [
      "if f.input and #f.input > c.bytes_max then return 'payload-too-large' end",
      'if f.input and #f.input > c.bytes_max then @TRIP@ end',
    ],
  ])
