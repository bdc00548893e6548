// Seeded defect: the place of a run whose worker fell silent is never given back. Counts a trip for every such place.

import type { EngineParts } from '../index.ts'
import { patched } from './patched.ts'
import type { Trips } from './trips.ts'

export const slotLeak = (trips: Trips): EngineParts =>
  patched(trips, [
    [
      'try_again(k, c, e, ATTEMPTS_MAX, c.now + 1000 * (e.attempt - 1), ends)',
      `try_again(k, c, e, ATTEMPTS_MAX, c.now + 1000 * (e.attempt - 1), ends)
      redis.call('ZADD', k.active, digits(c.now + 3600000), member)
      @TRIP@`,
    ],
  ])
