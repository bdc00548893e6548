// Seeded defect: GET /v1/runs/{id} takes the owner from the id and never asks whether it is the caller. Counts a trip for
// every foreign run that was answered. Refuses to change anything else.

import type { EngineParts } from '../index.ts'
import type { Trips } from './trips.ts'

export const getUnchecked = (trips: Trips): EngineParts => ({
  findRun: async (read, caller, owner, entryId) => {
    const run = await read(owner, entryId)
    if (run && owner !== caller) trips.count()
    return run
  },
})
