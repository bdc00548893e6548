// Every seeded defect: its name, its row of the catalogue, what it breaks, the promise it breaks. Refuses a defect that does not count its trips:
// the type asks for one that takes them.

import type { EngineParts } from '../index.ts'
import { getUnchecked } from './get-unchecked.ts'
import { sharedFifo } from './shared-fifo.ts'
import type { Trips } from './trips.ts'

export interface Defect {
  name: string
  /** Row of the isolation catalogue. */
  id: string
  what: string
  promise: 'data' | 'execution' | 'credentials' | 'observability'
  parts: (trips: Trips) => EngineParts
}

export const defects: readonly Defect[] = [
  {
    name: 'shared-fifo',
    id: 'M29',
    what: 'all tenants in one stream, first in, first out: no caps, no turns',
    promise: 'execution',
    parts: sharedFifo,
  },
  {
    name: 'get-unchecked',
    id: 'M01',
    what: 'GET /v1/runs/{id} does not ask whether the run is the caller’s',
    promise: 'data',
    parts: getUnchecked,
  },
]
