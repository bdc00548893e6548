// The invariants of engine.md, judged from the ledger and the witness: returns every violation in words. Where a moment is
// known only as a span, the doubt is the engine's: what is reported cannot have been otherwise.

import type { Sighting, Witness } from '../witness.ts'
import type { Life, Span } from './ledger.ts'

/** The highest value that may have been in force at some moment of the span. */
function highest(changes: readonly { value: number; span: Span }[], { fromNs, untilNs }: Span): number {
  const possible = changes.filter(({ span }, at) => {
    const next = changes[at + 1]
    return span.fromNs <= untilNs && (next === undefined || next.span.untilNs >= fromNs)
  })
  return Math.max(0, ...possible.map(({ value }) => value))
}

export const sightingsOf = (life: Life, witness: Witness): Sighting[] =>
  witness.of(life.tenant).filter(({ entryId }) => life.starts.has(entryId))

/** At the start of each step: those that run, itself included, against the caps in force since its claim was asked for. */
function overCap(life: Life, sightings: readonly Sighting[]): string[] {
  const caps = life.caps.map(({ cap, span }) => ({ value: cap, span }))
  return sightings.flatMap(({ startedNs, askedNs, entryId }) => {
    const running = sightings.filter((other) => {
      return other.startedNs <= startedNs && (other.endedNs === null || other.endedNs > startedNs)
    })
    const cap = highest(caps, { fromNs: askedNs, untilNs: startedNs })
    return running.length > cap ? [`${life.tenant} ${entryId}: ${running.length} run, the cap is ${cap}`] : []
  })
}

/** Admissions are starts, and so are claims of what was written directly and claims of further attempts. */
function overRate(life: Life, sightings: readonly Sighting[], windowMs: number): string[] {
  const rates = life.rates.map(({ rate, span }) => ({ value: rate, span }))
  const admissions = [...life.starts.values()].flatMap(({ how, span }) => (how === 'admitted' ? [span] : []))
  const claims = sightings.filter(({ entryId, attempt }) => attempt > 1 || life.starts.get(entryId)?.how === 'written')
  const events = [...admissions, ...claims.map(({ askedNs, startedNs }) => ({ fromNs: askedNs, untilNs: startedNs }))]
  const windowNs = BigInt(windowMs) * 1_000_000n
  return events.flatMap((event) => {
    // For sure before this one, and for sure within the window that ends with it.
    const within = events.filter(({ fromNs, untilNs }) => untilNs < event.fromNs && fromNs > event.untilNs - windowNs)
    const rate = highest(rates, event)
    return within.length >= rate
      ? [`${life.tenant}: ${within.length + 1} starts within a window, ${rate} are allowed`]
      : []
  })
}

/** What was claimed while nothing may have been: when suspended, when gone. */
function outOfTime(life: Life, sightings: readonly Sighting[]): string[] {
  return sightings.flatMap(({ askedNs, startedNs, entryId }) => {
    const suspended = life.suspended.some(({ fromNs, untilNs }) => {
      return askedNs > fromNs && (untilNs === null || startedNs < untilNs)
    })
    const gone = life.gone !== null && askedNs > life.gone.untilNs
    return [
      ...(suspended ? [`${life.tenant} ${entryId} was claimed while its tenant was suspended`] : []),
      ...(gone ? [`${life.tenant} ${entryId} was claimed after its tenant was removed`] : []),
    ]
  })
}

/** Each attempt at most once, nothing malformed, and all in the hands of their own tenant. */
function outOfHand(life: Life, sightings: readonly Sighting[]): string[] {
  const seen = new Set<string>()
  return sightings.flatMap(({ entryId, attempt, inputText }) => {
    const key = `${entryId}/${attempt}`
    const wrong: string[] = []
    if (seen.has(key)) wrong.push(`${life.tenant} ${key} ran twice`)
    seen.add(key)
    if (life.starts.get(entryId)?.how === 'malformed') wrong.push(`${life.tenant} ${key} ran, and it is malformed`)
    if (inputText !== JSON.stringify({ of: life.tenant }))
      wrong.push(`${life.tenant} ${key} has the input ${inputText}`)
    return wrong
  })
}

/** What the engine says of the runs of a tenant, once nothing waits and nothing runs. */
export interface Account {
  /** Status by entry, of every run that is known. */
  statuses: ReadonlyMap<string, string>
  /** How often the history tells of an entry's end. */
  endings: ReadonlyMap<string, number>
  /** Entries that are dead letters, with their reason. */
  letters: ReadonlyMap<string, string>
}

const ENDED = new Set(['done', 'failed', 'timed-out', 'cancelled', 'dead'])
const REFUSED = new Set(['rate-limited', 'queue-full'])

/** Admitted and written is what ended, one by one: each in one way, and the witness saw what must have been seen. */
function unaccounted(life: Life, account: Account, sightings: readonly Sighting[]): string[] {
  const ran = new Map<string, Sighting>()
  for (const sighting of sightings) ran.set(sighting.entryId, sighting)
  const wrong = [...account.statuses.keys()].flatMap((entryId) => {
    return life.starts.has(entryId) ? [] : [`${life.tenant} ${entryId} was started by nobody`]
  })
  for (const [entryId, { how }] of life.starts) {
    const [status, reason] = [account.statuses.get(entryId), account.letters.get(entryId)]
    const said = `${life.tenant} ${entryId}, ${how}, is ${status ?? 'no run'}, letter ${reason ?? 'none'}`
    const endings = account.endings.get(entryId) ?? 0
    if (how === 'malformed' || (how === 'written' && status === undefined)) {
      const fits = reason !== undefined && REFUSED.has(reason) !== (how === 'malformed')
      if (status !== undefined || !fits || ran.has(entryId) || endings > 0) wrong.push(said)
      continue
    }
    if (status === undefined || !ENDED.has(status) || endings !== 1) wrong.push(`${said}, ended ${endings} times`)
    if ((status === 'dead') !== (reason !== undefined)) wrong.push(said)
    if ((status === 'done' || status === 'failed') && ran.get(entryId)?.endedNs == null) wrong.push(`${said}, unseen`)
    if (life.cancelled.has(entryId) !== (status === 'cancelled')) wrong.push(`${said}, cancelled or not`)
  }
  return wrong
}

export function violations(life: Life, witness: Witness, windowMs: number, account: Account | null): string[] {
  const sightings = sightingsOf(life, witness)
  return [
    ...overCap(life, sightings),
    ...overRate(life, sightings, windowMs),
    ...outOfTime(life, sightings),
    ...outOfHand(life, sightings),
    ...(account === null ? [] : unaccounted(life, account, sightings)),
  ]
}
