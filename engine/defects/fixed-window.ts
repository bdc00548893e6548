// Seeded defect: starts are counted by the clock's minute, so that twice as many fit around its edge. Counts a trip for every
// start that an exact window would have refused.

import type { EngineParts } from '../index.ts'
import { patched } from './patched.ts'
import type { Trips } from './trips.ts'

export const fixedWindow = (trips: Trips): EngineParts =>
  patched(trips, [
    [
      'return math.max(0, tonumber(nth) + window + 1 - now)',
      `local bucket = now - now % window
  if tonumber(nth) < bucket then
    if tonumber(nth) + window + 1 > now then @TRIP@ end
    return 0
  end
  return math.max(0, bucket + window - now)`,
    ],
  ])
