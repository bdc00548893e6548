// How the judge writes its reasons: numbers with unit, count and window. Decides nothing.

import type { Block, Finding } from '../evidence/types.ts'
import type { Interval } from '../evidence/verdict.ts'
import type { Ground } from './ranking.ts'

/** 1,980 */
export function count(n: number): string {
  return Math.round(n)
    .toString()
    .replace(/\B(?=(\d{3})+$)/g, ',')
}

/** Three significant digits without exponents. */
export function short(x: number): string {
  if (x !== 0 && Math.abs(x) < 0.001) return x.toExponential(1)
  return Math.abs(x) >= 100 ? count(x) : String(Number(x.toPrecision(3)))
}

export function ms(x: number): string {
  return x === Number.POSITIVE_INFINITY ? 'never' : `${short(x)} ms`
}

export function percent(share: number): string {
  return `${Number((100 * share).toFixed(3))} %`
}

/** "25 blocks of 0.8 s", or a range when the steady windows differ. */
export function windowWords(blocks: readonly Block[]): string {
  const seconds = blocks.map((block) => (block.endUs - block.startUs - block.settleUs) / 1e6)
  if (seconds.length === 0) return '0 blocks'
  const least = short(seconds.reduce((a, b) => Math.min(a, b)))
  const most = short(seconds.reduce((a, b) => Math.max(a, b)))
  const noun = seconds.length === 1 ? 'block' : 'blocks'
  return `${seconds.length} ${noun} of ${least === most ? least : `${least} to ${most}`} s`
}

export function ratioWords(ratio: Interval | null, pairs: number): string {
  if (ratio === null) return `no p99 ratio: an arm has 0 samples in n=${pairs} complete pairs`
  return `p99 noise/placebo ${short(ratio.point)} (95 % interval ${short(ratio.low)} to ${short(ratio.high)} over n=${pairs} pairs, resampled, for information)`
}

/** @param leakBound whether the opportunities are independent looks for a leak, so that their number bounds it */
function findingWords(finding: Finding, leakBound: boolean): string {
  const whom = finding.tenants.length === 0 ? '' : ` (${finding.tenants.join(', ')})`
  const asked = `asked ${count(finding.opportunities)} times, ${count(finding.controls)} positive controls succeeded`
  const bound =
    leakBound && finding.finding === 'held' && finding.opportunities > 3
      ? `; true leak probability below ${percent(3 / finding.opportunities)} at 95 %`
      : ''
  return `${finding.probe}${whom}: ${finding.finding}, ${asked}${bound}${finding.reason === '' ? '' : `: ${finding.reason}`}`
}

/** What a finding means for the outcome. Not applicable is no pass; held without having been asked is none either. */
export function findingGround(finding: Finding, leakBound: boolean): Ground {
  const words = findingWords(finding, leakBound)
  if (finding.finding === 'broken') return { outcome: 'fail', words }
  if (finding.finding === 'inconclusive') return { outcome: 'inconclusive', words }
  if (finding.finding === 'not-applicable') return { outcome: 'pass', words: `${words} (not counted as a pass)` }
  if (finding.opportunities === 0) return { outcome: 'inconclusive', words: `${words} (never asked, so not a pass)` }
  return { outcome: 'pass', words }
}
