// Seeded defect: a retry asks nobody: it is neither held back by the window of starts nor counted in it. Counts a trip for every
// retry that was not charged.

import type { EngineParts } from '../index.ts'
import { patched } from './patched.ts'
import type { Trips } from './trips.ts'

export const retriesUncharged = (trips: Trips): EngineParts =>
  patched(trips, [
    [
      `if window_wait(k.win, c.limit, c.now, c.window) > 0 then break end
    window_charge(k.win, c.limit, c.now)
    redis.call('ZREM', k.retry, id)`,
      `@TRIP@
    redis.call('ZREM', k.retry, id)`,
    ],
    [
      'local at = math.max(tonumber(first[2] or c.now), c.now + window_wait(k.win, c.limit, c.now, c.window))',
      'local at = tonumber(first[2] or c.now)',
    ],
  ])
