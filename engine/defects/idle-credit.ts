// Seeded defect: a tenant that idles keeps its old tag, however far virtual time has gone on. Counts a trip for every return
// with credit.

import type { EngineParts } from '../index.ts'
import { patched } from './patched.ts'
import type { Trips } from './trips.ts'

export const idleCredit = (trips: Trips): EngineParts =>
  patched(trips, [
    [
      'return math.max(s.floor, tonumber(tag or s.floor))',
      `if tag and tonumber(tag) < s.floor then @TRIP@ end
  return tonumber(tag or s.floor)`,
    ],
    [
      "if tag > s.floor then redis.call('ZADD', s.k.idle, tag_text(tag), tenant) end",
      "redis.call('ZADD', s.k.idle, tag_text(tag), tenant)",
    ],
    ["redis.call('ZREMRANGEBYSCORE', k.idle, '-inf', '(' .. tag_text(s.floor))", ''],
  ])
