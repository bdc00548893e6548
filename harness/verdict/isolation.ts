// Isolation metrics beside the verdict: how much quality of service the noise took, how evenly the quiet tenants were served,
// how long one went without. They are reported and never decide. Pure arithmetic; the formulas name their source.

/** A tenant within its quota at one level of noise: its p99 in ms with and without, samples of both. */
export interface QosReading {
  refMs: number
  disrMs: number
}

/** One level of disruption: what the abiding tenants saw, and the load in operations a second of all tenants together. */
export interface QosLevel {
  tenants: readonly QosReading[]
  refLoad: number
  disrLoad: number
}

/**
 * I_QoS = Δz/Δw: the relative rise of the abiding tenants' p99s, over the relative rise of the load that caused it; 0 is
 * perfect isolation. Null without a rise in load, without tenants, or where a p99 is not finite.
 * Source: Krebs, Momm, Kounev, Metrics and techniques for quantifying performance isolation in cloud environments, 2014.
 */
export function qosInfluence({ tenants, refLoad, disrLoad }: QosLevel): number | null {
  const ref = tenants.reduce((sum, { refMs }) => sum + refMs, 0)
  const disr = tenants.reduce((sum, { disrMs }) => sum + disrMs, 0)
  const deltaW = (disrLoad - refLoad) / refLoad
  if (tenants.length === 0 || !(ref > 0) || !Number.isFinite(disr) || !(deltaW > 0)) return null
  return (disr - ref) / ref / deltaW
}

/** I_avg and I_max over the levels that were tried; null where none could be computed. */
export function overLevels(levels: readonly QosLevel[]): { average: number; largest: number; levels: number } | null {
  const found = levels.map(qosInfluence).filter((value) => value !== null)
  if (found.length === 0) return null
  return {
    average: found.reduce((sum, value) => sum + value, 0) / found.length,
    largest: Math.max(...found),
    levels: found.length,
  }
}

/** What one tenant got of what it could ask for: operations done, over the smaller of its demand and its fair share. 0..1. */
export const servedShare = (done: number, demand: number, fairShare: number): number =>
  Math.min(1, done / Math.min(demand, fairShare))

/** Min-max ratio: the worst served tenant over the best; 1 is even, 0 is one that starved. Null without tenants. */
export function minMaxRatio(shares: readonly number[]): number | null {
  const best = Math.max(...shares)
  return shares.length === 0 || best <= 0 ? null : Math.min(...shares) / best
}

/** Jain's index, (Σx)²/(nΣx²): reported, never gated, as 1 starved of 100 still gives 0.99. Null without service. */
export function jainIndex(shares: readonly number[]): number | null {
  const sum = shares.reduce((total, x) => total + x, 0)
  const squares = shares.reduce((total, x) => total + x * x, 0)
  return squares === 0 ? null : (sum * sum) / (shares.length * squares)
}

/** An operation as the journal tells it; `endUs` is null when it never ended. Microseconds on the generator's clock. */
export interface Waiting {
  intendedUs: number
  endUs: number | null
}

/**
 * Starvation: the longest time in [fromUs, toUs) in which something of the tenant was due and nothing of it was completed,
 * microseconds.
 */
export function starvationUs(operations: readonly Waiting[], fromUs: number, toUs: number): number {
  const events = operations
    .flatMap(({ intendedUs, endUs }) => [
      { atUs: Math.max(fromUs, intendedUs), due: 1 },
      ...(endUs === null ? [] : [{ atUs: Math.max(fromUs, endUs), due: -1 }]),
    ])
    .filter(({ atUs }) => atUs < toUs)
    // What ends in the same instant in which another is due has been served before it.
    .sort((a, b) => a.atUs - b.atUs || a.due - b.due)
  let longest = 0
  let due = 0
  let sinceUs: number | null = null
  for (const event of events) {
    if (event.due < 0 && sinceUs !== null) {
      longest = Math.max(longest, event.atUs - sinceUs)
      sinceUs = event.atUs
    }
    due += event.due
    if (due <= 0) sinceUs = null
    else if (sinceUs === null) sinceUs = event.atUs
  }
  return sinceUs === null ? longest : Math.max(longest, toUs - sinceUs)
}
