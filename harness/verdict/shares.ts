// Objectives on a share: of offered operations that ended well, and of seconds in which a percentile held. Exact binomial
// bounds; a whole interval on one side of the objective, or no answer. Refuses to pass on nothing that was counted.

import type { SecondWindow, TenantWindow } from '../evidence/types.ts'
import type { ObjectiveVerdict } from '../evidence/verdict.ts'
import { shareInterval } from './binomial.ts'
import type { Confidence, Objective } from './objectives.ts'

type GoodSeconds = Pick<Extract<Objective, { kind: 'seconds' }>, 'name' | 'permille' | 'limitMs' | 'share'>

/** What was good of all, and what nobody knows of since a cut left it open: bad to a pass, good to a fail. */
interface Tally {
  good: number
  unknown: number
  all: number
}

function judgeShare({ good, unknown, all }: Tally, share: number, confidence: Confidence) {
  const bounds = { low: confidence.pass, high: confidence.fail }
  const { point, low } = shareInterval(good, all, bounds)
  const { high } = shareInterval(good + unknown, all, bounds)
  const outcome = all === 0 ? 'inconclusive' : low >= share ? 'pass' : high < share ? 'fail' : 'inconclusive'
  const value = all === 0 ? null : point
  return {
    unit: 'share',
    limit: share,
    outcome,
    value,
    low,
    high,
    confidence,
    samples: all,
    beyond: all - good,
  } as const
}

export function judgeSuccess(noise: readonly TenantWindow[], share: number, confidence: Confidence): ObjectiveVerdict {
  const tally = { good: 0, unknown: 0, all: 0 }
  for (const window of noise) {
    tally.good += window.ok
    tally.all += window.offered
    tally.unknown += window.cut?.open ?? 0
  }
  return { name: 'success', counted: 'operations', ...judgeShare(tally, share, confidence) }
}

/** Of a block's last stretch: less than this is no second of its own, milliseconds. */
const REST_AT_LEAST_MS = 500

/**
 * A second is a stretch of a steady window: 1 s each, the last as long as is left (0.5 s at least, unless it is the only one).
 * It is good when the percentile of what was due in it lies within the limit; one in which nothing was due is not counted.
 * Seconds are taken as independent: in the gate they lie in blocks apart from each other. Within blocks of many seconds a
 * bad second makes a bad neighbour likelier, and the interval is then narrower than it should be.
 */
export function judgeSeconds(
  noise: readonly TenantWindow[],
  { name, permille, limitMs, share }: GoodSeconds,
  confidence: Confidence,
): ObjectiveVerdict {
  const tally = { good: 0, unknown: 0, all: 0 }
  for (const second of noise.flatMap(secondsOf)) {
    if (second.offered === 0) continue
    const within = second.responseUs.reduce((sum, [us, times]) => sum + (us <= limitMs * 1000 ? times : 0), 0)
    const needed = second.offered - Math.floor((second.offered * (1000 - permille)) / 1000)
    tally.all++
    if (within >= needed) tally.good++
    else if (within + second.open >= needed) tally.unknown++
  }
  const named = `seconds with ${name} within ${limitMs} ms`
  return { name: named, counted: 'seconds', ...judgeShare(tally, share, confidence) }
}

function secondsOf({ seconds = [] }: TenantWindow): SecondWindow[] {
  return seconds.filter(({ lengthUs }, i) => i === 0 || lengthUs >= REST_AT_LEAST_MS * 1000)
}
