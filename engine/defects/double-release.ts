// Seeded defect: a run that is timed out gives its place back twice, so that the cap grows by one each time. Counts a trip for
// every place that was given back once too often.

import type { EngineParts } from '../index.ts'
import { patched } from './patched.ts'
import type { Trips } from './trips.ts'

export const doubleRelease = (trips: Trips): EngineParts =>
  patched(trips, [
    ['cap = tonumber(v[3])', "cap = tonumber(v[3]) + tonumber(redis.call('HGET', k.ctl, 'twice') or 0)"],
    [
      '    ids[i] = e.id\n    if not e.held',
      `    if e.status == 'timed-out' then
      redis.call('HINCRBY', k.ctl, 'twice', 1)
      @TRIP@
    end
    ids[i] = e.id
    if not e.held`,
    ],
  ])
