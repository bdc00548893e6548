// Seeded defect: removing a tenant leaves what is in flight, and whoever has the id next is given it. Counts a trip for every
// removal with runs in flight.

import type { EngineParts } from '../index.ts'
import { patched } from './patched.ts'
import type { Trips } from './trips.ts'

const REST = 'k.ctl, k.events, k.history, k.win, k.dead, k.ended, k.retry, k.idem, k.usage, k.meter, k.slo'

export const deleteUnfenced = (trips: Trips): EngineParts =>
  patched(trips, [
    [
      "return { existed, redis.call('UNLINK', unpack(keys)), queued",
      `if active > 0 then @TRIP@ end
  return { existed, redis.call('UNLINK', ${REST}), queued`,
    ],
    ["redis.call('UNLINK', unpack(keys))\n  local t = redis", 'local t = redis'],
  ])
