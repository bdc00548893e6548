// Seeded defect: what says nothing of itself goes first. A run that was admitted is put off by a quarter of a second as
// long as the newest entry of the stream is one that was written past the API. Counts a trip for every run put off.

import type { EngineParts } from '../index.ts'
import { patched } from './patched.ts'
import type { Trips } from './trips.ts'

export const unlabelledFirst = (trips: Trips): EngineParts =>
  patched(trips, [
    [
      'if not string.find(head, QUEUED_FIRST, at, true) then return end\n',
      `if not string.find(head, QUEUED_FIRST, at, true) then return end
    local newest = redis.call('XREVRANGE', k.events, '+', '-', 'COUNT', 1)[1]
    if newest and redis.call('HEXISTS', k.runs, newest[1]) == 0 then
      redis.call('ZADD', k.retry, digits(c.now + 250), id)
      @TRIP@
      return
    end
`,
    ],
  ])
