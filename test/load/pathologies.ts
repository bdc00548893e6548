// Servers that misbehave, as arithmetic: when the answer to a request is due, from nothing but when requests arrive. The
// server of the pathology suite answers by it, and the truth that tools are held against is computed by it. Pure; refuses
// to know of clocks, of HTTP and of who asks.

/** Everything in microseconds from the zero that the server and its caller have in common; before it nothing begins. */
export type Pathology =
  /** Holds whatever arrives in [at, at + for) to its end; again every so often, where `everyUs` is not null. */
  | { kind: 'stall'; atUs: number; forUs: number; everyUs: number | null }
  /** One place, first in, first out. Starts nothing in [at, at + for); what has begun ends. Then it works the queue off. */
  | { kind: 'slow-drain'; serviceUs: number; atUs: number; forUs: number }
  /** One place, first in, first out. At each `everyUs`, from the first on, somebody else's work gets in line. */
  | { kind: 'burst'; serviceUs: number; everyUs: number; workUs: number }
  /** A connection that is asked in [at, at + for) is dead from then on: it stays open, and never answers. */
  | { kind: 'dead'; atUs: number; forUs: number }
  /** Takes `slowUs` at first, evenly less until it answers at once, `overUs` later. */
  | { kind: 'speed-up'; slowUs: number; overUs: number }

/** When the answer to a request that arrives now is due; null for never. To be asked in the order of arrival. */
export type Answers = (arrivalUs: number) => number | null

/** What a healthy server takes, where there is no queue. */
const HEALTHY_US = 1000

export function answersOf(pathology: Pathology): Answers {
  switch (pathology.kind) {
    case 'stall':
      return (us) => us + heldUs(pathology, us) + HEALTHY_US
    case 'dead':
      return (us) => (isWithin(us, pathology) ? null : us + HEALTHY_US)
    case 'speed-up':
      return (us) => us + Math.max(HEALTHY_US, pathology.slowUs * (1 - Math.max(0, us) / pathology.overUs))
    case 'slow-drain':
      return slowDrain(pathology)
    case 'burst':
      return burst(pathology)
  }
}

const isWithin = (us: number, { atUs, forUs }: { atUs: number; forUs: number }) => us >= atUs && us < atUs + forUs

function heldUs({ atUs, forUs, everyUs }: Extract<Pathology, { kind: 'stall' }>, us: number): number {
  const since = everyUs === null || us < atUs ? us - atUs : (us - atUs) % everyUs
  return since >= 0 && since < forUs ? forUs - since : 0
}

/** Lindley's recursion: a request begins when it is there and the one before it has ended. */
function slowDrain({ serviceUs, ...closed }: Extract<Pathology, { kind: 'slow-drain' }>): Answers {
  let freeUs = Number.NEGATIVE_INFINITY
  return (us) => {
    const ready = Math.max(us, freeUs)
    const begin = isWithin(ready, closed) ? closed.atUs + closed.forUs : ready
    freeUs = begin + serviceUs
    return freeUs
  }
}

function burst({ serviceUs, everyUs, workUs }: Extract<Pathology, { kind: 'burst' }>): Answers {
  let freeUs = Number.NEGATIVE_INFINITY
  let bursts = 1
  return (us) => {
    // Work that came at the same moment stands before the request.
    for (; bursts * everyUs <= us; bursts++) freeUs = Math.max(bursts * everyUs, freeUs) + workUs
    freeUs = Math.max(us, freeUs) + serviceUs
    return freeUs
  }
}

export const pathologyNames = [
  'stalls once',
  'stalls periodically',
  'drains slowly',
  'is hit by bursts',
  'has dead connections',
  'speeds up',
] as const
export type PathologyName = (typeof pathologyNames)[number]

/**
 * Sized to a window, so that the shares of arrivals that are hit, and with them which percentiles are, stay the same in
 * every window: 5 % held once; 20 % held in five stalls; a queue at 80 % of its rate that stands still for 5 % of the window
 * and needs four times as long to recover; one at 50 % with eight bursts; 4 % never answered; 200 ms that go to 1 ms.
 * No share lies on a percentile that is looked at, where a rank more or less would decide between 1 ms and the stall.
 */
export function pathologyOf(name: PathologyName, ratePerSecond: number, windowUs: number): Pathology {
  const gapUs = 1e6 / ratePerSecond
  switch (name) {
    case 'stalls once':
      return { kind: 'stall', atUs: 0.3 * windowUs, forUs: 0.05 * windowUs, everyUs: null }
    case 'stalls periodically':
      return { kind: 'stall', atUs: 0.1 * windowUs, forUs: 0.04 * windowUs, everyUs: 0.2 * windowUs }
    case 'drains slowly':
      return { kind: 'slow-drain', serviceUs: 0.8 * gapUs, atUs: 0.3 * windowUs, forUs: 0.05 * windowUs }
    case 'is hit by bursts':
      return { kind: 'burst', serviceUs: 0.5 * gapUs, everyUs: windowUs / 8.5, workUs: 0.015 * windowUs }
    case 'has dead connections':
      return { kind: 'dead', atUs: 0.5 * windowUs, forUs: 0.04 * windowUs }
    case 'speeds up':
      return { kind: 'speed-up', slowUs: 200_000, overUs: windowUs }
  }
}
