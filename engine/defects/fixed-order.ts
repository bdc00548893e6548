// Seeded defect: tenants are read in the order of their names, each for as much as it has, and begin anew with every round.
// Counts a trip for every tenant that is put back before one that waits.

import type { EngineParts } from '../index.ts'
import { patched } from './patched.ts'
import type { Trips } from './trips.ts'

export const fixedOrder = (trips: Trips): EngineParts =>
  patched(trips, [
    [
      "redis.call('ZADD', s.k.ready, tag_text(tag + (s.seq % 1000) * 1e-6), tenant)",
      `redis.call('ZADD', s.k.ready, 0, tenant)
  if redis.call('ZCARD', s.k.ready) > 1 and redis.call('ZRANK', s.k.ready, tenant) == 0 then @TRIP@ end`,
    ],
    [
      "if redis.call('ZSCORE', s.k.ready, tenant) then\n    redis.call('ZINCRBY', s.k.ready, tag_text(delta), tenant)",
      "if redis.call('ZSCORE', s.k.ready, tenant) then\n    return",
    ],
  ])
