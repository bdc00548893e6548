// What is said of one objective of one tenant: observed, bounds, limit, count and window, and for an undecided one what would
// have decided it. Decides nothing.

import type { Block } from '../evidence/types.ts'
import type { ObjectiveVerdict } from '../evidence/verdict.ts'
import { needed } from './needed.ts'
import type { Objective } from './objectives.ts'
import { count, ms, percent, windowWords } from './wording.ts'

export interface Told {
  tenant: string
  asked: Objective
  judged: ObjectiveVerdict
  /** Blocks under noise that were judged. */
  noisy: readonly Block[]
}

/** @param family objectives that share the error of a fail */
export function objectiveWords(told: Told, family: number): string {
  const { tenant, asked, judged } = told
  const wanted = wantedWords(asked)
  if (judged.samples === 0) {
    const what =
      judged.counted === 'seconds'
        ? 'no second with an arrival'
        : asked.kind === 'success'
          ? 'nothing was offered'
          : 'no sample'
    return `${tenant}: ${what} under noise (n=0 in ${windowWords(told.noisy)}), so ${wanted} was not judged`
  }
  const end = ending(judged.outcome, asked)
  if (asked.kind === 'max')
    return `${observed(told)} (as observed, a maximum has no interval; ${window(told)}) ${end} ${wanted}`
  const bounds = boundWords(told, family)
  const words = `${observed(told)} (${bounds}, ${window(told)}) ${end} ${wanted}`
  if (judged.outcome === 'inconclusive') return `${words} undecided; ${neededWords(told)}`
  return words
}

function wantedWords(asked: Objective): string {
  if (asked.kind === 'success' || asked.kind === 'seconds') return `the objective of ${percent(asked.share)}`
  return `the SLO of ${ms(asked.limitMs)}`
}

function ending(outcome: ObjectiveVerdict['outcome'], { kind }: Objective): string {
  if (outcome === 'inconclusive') return kind === 'max' ? 'leaves undecided, as operations were cut off,' : 'leaves'
  const share = kind === 'success' || kind === 'seconds'
  if (outcome === 'pass') return share ? 'meets' : 'is within'
  return share ? 'misses' : 'exceeds'
}

function observed({ tenant, asked, judged }: Told): string {
  const value = judged.value
  if (asked.kind === 'success') return `${tenant}: success ratio under noise ${percent(value ?? 0)}`
  if (asked.kind === 'seconds') {
    return `${tenant}: ${asked.name} lay within ${ms(asked.limitMs)} in ${percent(value ?? 0)} of the seconds under noise`
  }
  const name = asked.kind === 'max' ? 'largest response time' : asked.name
  return `${tenant}: ${name} under noise ${ms(value ?? Number.POSITIVE_INFINITY)}`
}

function window({ asked, judged, noisy }: Told): string {
  const blocks = windowWords(noisy)
  const good = count(judged.samples - judged.beyond)
  if (asked.kind === 'success') return `${good} of ${count(judged.samples)} offered in ${blocks}`
  if (asked.kind === 'seconds') return `${good} of ${count(judged.samples)} seconds in ${blocks}`
  if (asked.kind === 'max') return `${count(judged.beyond)} of n=${count(judged.samples)} above in ${blocks}`
  return `n=${count(judged.samples)} in ${blocks}`
}

/** The bound that carries the outcome; both where neither does. */
function boundWords({ asked, judged }: Told, family: number): string {
  const share = asked.kind === 'success' || asked.kind === 'seconds'
  const { confidence } = judged
  const value = (bound: number | null) => (share ? percent(bound ?? 0) : ms(bound ?? Number.POSITIVE_INFINITY))
  const [good, bad] = share ? (['low', 'high'] as const) : (['high', 'low'] as const)
  const named = { low: 'lower', high: 'upper' }
  const passing =
    judged[good] === null
      ? `no ${named[good]} bound at ${percent(confidence?.pass ?? 0)}`
      : `${percent(confidence?.pass ?? 0)} ${named[good]} bound ${value(judged[good])}`
  const shared = family > 1 ? `, as ${family} objectives share a fail level of 5 %` : ''
  const failing = `${percent(confidence?.fail ?? 0)} ${named[bad]} bound ${value(judged[bad])}${shared}`
  if (judged.outcome === 'pass') return passing
  return judged.outcome === 'fail' ? failing : `${passing}, ${failing}`
}

/** Share beyond the limit that an objective permits, 0..1. */
function permittedBy(asked: Objective): number {
  if (asked.kind === 'max') return 0
  return asked.kind === 'percentile' ? (1000 - asked.permille) / 1000 : 1 - asked.share
}

function neededWords({ asked, judged, noisy }: Told): string {
  const permitted = permittedBy(asked)
  const rate = percent(judged.beyond / judged.samples)
  const beyond = judged.counted === 'seconds' ? 'not good' : asked.kind === 'success' ? 'not ok' : 'beyond it'
  const found = needed(judged, permitted)
  const limit = limitWords(asked, judged)
  if (found === null) {
    const why =
      permitted === 0
        ? '100 % is proved by no number of them'
        : `fewer than 1,000,000 decide nothing at ${rate} ${beyond}`
    return `no number of further ${judged.counted} is known to decide it (n=${count(judged.samples)}: ${why})${limit}`
  }
  const blocks = Math.ceil((found.more * noisy.length) / judged.samples)
  return `about ${count(found.more)} further ${judged.counted} (${count(blocks)} noise blocks) would have decided it ${Math.round(100 * found.probability)} times in 100 if ${rate} of them stay ${beyond}${limit}`
}

/** The limits that these samples would have passed or failed. */
function limitWords(asked: Objective, { low, high }: ObjectiveVerdict): string {
  if (asked.kind === 'success' || asked.kind === 'seconds') {
    const met = low === null || low === 0 ? [] : [`met an objective of ${percent(low)}`]
    const missed = high === null || high === 1 ? [] : [`missed one above ${percent(high)}`]
    return thoseWords([...met, ...missed])
  }
  const passed = high === null ? [] : [`passed a limit of ${ms(high)}`]
  const failed = low === null || low === 0 ? [] : [`failed one below ${ms(low)}`]
  return thoseWords([...passed, ...failed])
}

const thoseWords = (did: readonly string[]) => (did.length === 0 ? '' : `; these would have ${did.join(' and ')}`)
