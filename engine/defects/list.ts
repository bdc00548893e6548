// Every seeded defect: its name, its row of the isolation catalogue, what it breaks, the promise it breaks. Refuses a defect
// that does not count its trips: the type asks for one that takes them.

import type { EngineParts } from '../index.ts'
import { deafSteps, lateResultsCount } from './deaf-steps.ts'
import { deleteUnfenced } from './delete-unfenced.ts'
import { doubleRelease } from './double-release.ts'
import { endlessCompute } from './endless-compute.ts'
import { exportShared, exportWithoutLetters } from './exports.ts'
import { fixedOrder } from './fixed-order.ts'
import { fixedWindow } from './fixed-window.ts'
import { getUnchecked } from './get-unchecked.ts'
import { idleCredit } from './idle-credit.ts'
import { groupNeverRemade, groupRemadeAtEnd } from './lost-group.ts'
import { newcomerFirst } from './newcomer-first.ts'
import { oversizeTaken } from './oversize-taken.ts'
import { pendingWindow } from './pending-window.ts'
import { retriesUncharged } from './retries-uncharged.ts'
import { sharedFifo } from './shared-fifo.ts'
import { slotLeak } from './slot-leak.ts'
import { staleCap } from './stale-cap.ts'
import { staticPartition } from './static-partition.ts'
import type { Trips } from './trips.ts'
import { turnsByCount } from './turns-by-count.ts'
import { unlabelledFirst } from './unlabelled-first.ts'
import { weightsIgnored, weightsInverted } from './weights.ts'

export interface Defect {
  name: string
  /** Row of the isolation catalogue; a letter where the row has several. */
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
  {
    name: 'turns-by-count',
    id: 'M30',
    what: 'turns are charged by the run, not by the time it takes',
    promise: 'execution',
    parts: turnsByCount,
  },
  {
    name: 'unlabelled-first',
    id: 'M32',
    what: 'entries that were written straight into the stream go before what was admitted',
    promise: 'execution',
    parts: unlabelledFirst,
  },
  {
    name: 'fixed-window',
    id: 'M33',
    what: 'starts are counted by the clock’s minute, so twice as many fit around its edge',
    promise: 'execution',
    parts: fixedWindow,
  },
  {
    name: 'stale-cap',
    id: 'M34',
    what: 'the cap is checked first and counted later',
    promise: 'execution',
    parts: staleCap,
  },
  {
    name: 'slot-leak',
    id: 'M35a',
    what: 'the place of a run whose worker died is never given back',
    promise: 'execution',
    parts: slotLeak,
  },
  {
    name: 'double-release',
    id: 'M35b',
    what: 'a run that is timed out gives its place back twice',
    promise: 'execution',
    parts: doubleRelease,
  },
  {
    name: 'endless-compute',
    id: 'M37a',
    what: 'a step that burns CPU cannot be ended',
    promise: 'execution',
    parts: endlessCompute,
  },
  {
    name: 'deaf-steps',
    id: 'M37b',
    what: 'a step that does not listen keeps its place after its deadline',
    promise: 'execution',
    parts: deafSteps,
  },
  {
    name: 'late-results-count',
    id: 'M37c',
    what: 'a result that comes after the deadline is taken',
    promise: 'execution',
    parts: lateResultsCount,
  },
  {
    name: 'retries-uncharged',
    id: 'M38',
    what: 'retries are not held to the starts a minute',
    promise: 'execution',
    parts: retriesUncharged,
  },
  {
    name: 'idle-credit',
    id: 'M39a',
    what: 'idle time is banked and claimed later',
    promise: 'execution',
    parts: idleCredit,
  },
  {
    name: 'newcomer-first',
    id: 'M39b',
    what: 'a new tenant begins at zero and goes before all others',
    promise: 'execution',
    parts: newcomerFirst,
  },
  {
    name: 'static-partition',
    id: 'M40',
    what: 'every tenant has a fixed part of the places, whoever else works',
    promise: 'execution',
    parts: staticPartition,
  },
  { name: 'weights-ignored', id: 'M41a', what: 'weights change nothing', promise: 'execution', parts: weightsIgnored },
  {
    name: 'weights-inverted',
    id: 'M41b',
    what: 'a higher weight gets less',
    promise: 'execution',
    parts: weightsInverted,
  },
  {
    name: 'group-never-remade',
    id: 'M42a',
    what: 'a lost consumer group is taken to be there',
    promise: 'execution',
    parts: groupNeverRemade,
  },
  {
    name: 'group-remade-at-end',
    id: 'M42b',
    what: 'a lost consumer group is made anew past everything that waits',
    promise: 'execution',
    parts: groupRemadeAtEnd,
  },
  {
    name: 'fixed-order',
    id: 'M43',
    what: 'tenants are read in a fixed order, each for as much as it has',
    promise: 'execution',
    parts: fixedOrder,
  },
  {
    name: 'delete-unfenced',
    id: 'M48',
    what: 'removing a tenant leaves its runs in flight to whoever has its id next',
    promise: 'execution',
    parts: deleteUnfenced,
  },
  {
    name: 'export-without-letters',
    id: 'M70a',
    what: 'an export leaves the dead letters out',
    promise: 'data',
    parts: exportWithoutLetters,
  },
  {
    name: 'export-shared',
    id: 'M70b',
    what: 'an export holds a run of whoever exported before',
    promise: 'data',
    parts: exportShared,
  },
  {
    name: 'oversize-taken',
    id: 'M71',
    what: 'the size of an entry that was written straight into the stream is not looked at',
    promise: 'execution',
    parts: oversizeTaken,
  },
  {
    name: 'pending-window',
    id: 'M72',
    what: 'runs that a dead worker left are not found when they are more than a thousand',
    promise: 'execution',
    parts: pendingWindow,
  },
]
