// Seeded defect: the cap is checked against a count that is up to 25 ms old, and the runs are counted only afterwards: what
// starts in between is not seen. Counts a trip for every claim that this let through.

import type { EngineParts } from '../index.ts'
import { patched } from './patched.ts'
import type { Trips } from './trips.ts'

export const staleCap = (trips: Trips): EngineParts =>
  patched(trips, [
    [
      'local free = math.min(want, cap - running)',
      `local seen = redis.call('HMGET', k.ctl, 'seen', 'seenAt')
  if seen[2] and c.now - tonumber(seen[2]) < 25 then
    c.checked = tonumber(seen[1])
  else
    c.checked = running
    redis.call('HSET', k.ctl, 'seen', running, 'seenAt', digits(c.now))
  end
  local free = math.min(want, cap - c.checked)
  if free > cap - running then @TRIP@ end`,
    ],
    [
      'local at, left = ready_at(k, c, running, c.cap, c.queued_max, shed)',
      'local at, left = ready_at(k, c, math.min(running, c.checked or running), c.cap, c.queued_max, shed)',
    ],
  ])
