// Seeded defects: a consumer group that was lost is taken to be there for ever, or is made anew at the end of the stream,
// past everything that waits. Count a trip for every time that the group was missed.

import type { EngineParts } from '../index.ts'
import { patched } from './patched.ts'
import type { Trips } from './trips.ts'

export const groupNeverRemade = (trips: Trips): EngineParts =>
  patched(trips, [
    [
      "if not string.find(read.err, 'NOGROUP', 1, true) then error(read) end",
      `@TRIP@
    error(read)`,
    ],
  ])

export const groupRemadeAtEnd = (trips: Trips): EngineParts =>
  patched(trips, [
    [
      `redis.call('XGROUP', 'CREATE', k.events, GROUP, '0', 'MKSTREAM')
    read =`,
      `@TRIP@
    redis.call('XGROUP', 'CREATE', k.events, GROUP, '$', 'MKSTREAM')
    read =`,
    ],
  ])
