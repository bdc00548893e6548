// Seeded defects: the worker listens neither to a deadline nor to a lost lease, so a step keeps its place until it is done;
// and, in the second, what it says then is taken for the outcome of a run that was ended long before. Count a trip for
// every run that went on past its deadline, and for every late result that was taken.

import type { EngineParts } from '../index.ts'
import type { Claim, QueueParts } from '../queue/queue.ts'
import type { Outcome } from '../workflow.ts'
import { CountedQueue, patched } from './patched.ts'
import type { Trips } from './trips.ts'

const FOR_EVER_MS = 3_600_000

class DeafQueue extends CountedQueue {
  readonly #trips: Trips
  readonly #overdue = new Map<string, NodeJS.Timeout>()

  constructor(parts: QueueParts, key: string, trips: Trips) {
    super(parts, key, trips)
    this.#trips = trips
  }

  override async next(free: number): Promise<{ claims: Claim[]; again: boolean }> {
    const { claims, again } = await super.next(free)
    for (const { tenant, fence, maxRunMs } of claims) {
      const timer = setTimeout(() => this.#trips.count(), maxRunMs)
      this.#overdue.set(`${tenant} ${fence}`, timer.unref())
    }
    return { claims: claims.map((claim) => ({ ...claim, maxRunMs: FOR_EVER_MS })), again }
  }

  override async renew(claims: readonly Claim[]): Promise<Claim[]> {
    await super.renew(claims)
    return []
  }

  override complete(claim: Claim, outcome: Outcome): Promise<boolean> {
    const key = `${claim.tenant} ${claim.fence}`
    clearTimeout(this.#overdue.get(key))
    this.#overdue.delete(key)
    return super.complete(claim, outcome)
  }
}

export const deafSteps = (trips: Trips): EngineParts =>
  patched(trips, [], (parts, key) => new DeafQueue(parts, key, trips))

export const lateResultsCount = (trips: Trips): EngineParts =>
  patched(
    trips,
    [
      ['local e = scores[i] and { id = ids[i]', 'local e = heads[i] and { id = ids[i]'],
      // An ended run has the time of its start, and no deadline that is still to come.
      [
        'if e and e.head then read_head(e) end',
        `if e then
      read_head(e)
      e.started_at = e.started_at or string.match(e.head, '"startedAt":(%d+)')
      e.deadline, e.guess = e.deadline or 0, e.guess or 0
    end`,
      ],
      [
        "if status ~= 'timed-out' and c.now > e.deadline then status, field = 'timed-out', LATE end",
        'if c.now > e.deadline then @TRIP@ end',
      ],
    ],
    (parts, key) => new DeafQueue(parts, key, trips),
  )
