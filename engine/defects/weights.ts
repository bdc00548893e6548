// Seeded defects: weights that are ignored, and weights that are taken the wrong way round. Count a trip for every turn of
// a tenant whose weight is not 1.

import type { EngineParts } from '../index.ts'
import { patched } from './patched.ts'
import type { Trips } from './trips.ts'

const chargedBy = (trips: Trips, weight: string): EngineParts =>
  patched(trips, [
    [
      'local charge = #c.runs * (c.estimate + OVERHEAD_MS) / c.weight',
      `if c.weight ~= 1 and #c.runs > 0 then @TRIP@ end
  c.weight = ${weight}
  local charge = #c.runs * (c.estimate + OVERHEAD_MS) / c.weight`,
    ],
  ])

export const weightsIgnored = (trips: Trips): EngineParts => chargedBy(trips, '1')
export const weightsInverted = (trips: Trips): EngineParts => chargedBy(trips, '1 / c.weight')
