// What is said of the run's interference: decided after how many pairs and what that saved, or undecided and what would have
// decided it; the zone of indifference; how small a rise would have been seen. Decides nothing.

import type { Outcome } from '../evidence/verdict.ts'
import { failEdge, passEdge } from './exceedance.ts'
import { decidingLimits, furtherPairs } from './further.ts'
import type { Look } from './interference.ts'
import type { Ground } from './ranking.ts'
import { completePairs } from './samples.ts'
import type { JudgeInput } from './types.ts'
import { count, ms, percent, short } from './wording.ts'

/** @param outcome of the last look after the run's self-checks */
export function interferenceGround(input: JudgeInput, outcome: Outcome, last: Look | undefined): Ground {
  const limit = `the limit of ${short(input.objectives.interferenceRatio)}`
  const pairs = completePairs(input.blocks, input.pairsPlanned).length
  const planned = `of ${input.pairsPlanned} planned pairs`
  if (last === undefined || last.outcome === 'inconclusive') {
    const further = last === undefined ? tooFewWords(pairs) : furtherWords(input, last)
    return { outcome, words: `interference: undecided against ${limit} after ${pairs} ${planned}; ${further}` }
  }
  const guilty = last.tenants.filter((tenant) => tenant.fails).map((tenant) => tenant.tenant)
  const failed = last.outcome === 'fail'
  const whom = failed ? `${guilty.join(', ')} above` : `all ${last.tenants.length} quiet tenants within`
  const spoilt = last.outcome === outcome ? '' : ', counted as inconclusive'
  const end = `decided after pair ${last.pair} ${planned}`
  return { outcome, words: `interference: ${whom} ${limit}, ${end}${savedWords(input, last.pair)}${spoilt}` }
}

/** Both blocks of a pair, seconds, on average over the complete ones; 0 without one. */
function secondsOfPair(input: JudgeInput): number {
  const pairs = completePairs(input.blocks, input.pairsPlanned)
  const us = pairs.reduce((sum, { off, on }) => sum + off.endUs - off.startUs + on.endUs - on.startUs, 0)
  return pairs.length === 0 ? 0 : us / 1e6 / pairs.length
}

function savedWords(input: JudgeInput, needed: number): string {
  const saved = input.pairsPlanned - needed
  const seconds = secondsOfPair(input)
  const inBlocks = (pairs: number) => `${short(pairs * seconds)} s of blocks`
  if (saved === 0) return ` (all were needed, ${inBlocks(needed)})`
  return ` (${inBlocks(needed)} needed; ${saved} pairs, ${inBlocks(saved)}, saved)`
}

function tooFewWords(pairs: number): string {
  return `n=${pairs} complete pairs are too few to say what would decide it (3 are the least)`
}

/** How many pairs more, estimated from this run's, and which limit these pairs would have decided. */
function furtherWords(input: JudgeInput, last: Look): string {
  const further = furtherPairs(input)
  if (further === null) return tooFewWords(last.pair)
  return `${pairsWords(further, input, last.pair)}; ${limitsWords(input, last.pair)}`
}

function pairsWords(further: NonNullable<ReturnType<typeof furtherPairs>>, input: JudgeInput, seen: number): string {
  const { plan, largest, resampled } = further
  const of = `of ${resampled} resampled runs`
  if (plan === null) {
    return `a plan of ${largest.pairs} pairs, the largest tried, would have decided ${percent(largest.decided)} ${of}, so more pairs are no way`
  }
  const more = plan.pairs - seen
  const seconds = short(more * secondsOfPair(input))
  return `about ${more} further pairs (${plan.pairs} planned, ${seconds} s of blocks more) would have decided ${percent(plan.decided)} ${of}, most of them as ${plan.mostly}`
}

function limitsWords(input: JudgeInput, pair: number): string {
  const { passedFrom, failedUpTo } = decidingLimits(input, pair)
  const passed = passedFrom === null ? 'passed no limit up to 20' : `passed a limit of ${short(passedFrom)}`
  const failed = failedUpTo === null ? 'failed none' : `failed one of ${short(failedUpTo)}`
  return `these n=${pair} pairs would have ${passed} and ${failed}`
}

export function zoneWords(input: JudgeInput): string {
  const pass = passEdge(input.objectives)
  const fail = failEdge(input.objectives)
  const floor = pass.floorMs > 0 ? `; floors ${ms(pass.floorMs)} and ${ms(fail.floorMs)}` : ''
  const n = `${count(input.pairsPlanned)} planned pairs, n=${input.quietTenants.length} quiet tenants`
  return `a pass is evidence that the p99 ratio is below ${short(pass.ratio)}, a fail that it is above ${short(fail.ratio)}; in between either may happen${floor} (${n})`
}

export function detectableWords(detectable: number | null, input: JudgeInput): string {
  const pairs = `${input.pairsPlanned} pairs`
  const placebo = input.blocks.filter(({ arm }) => arm === 'placebo').length
  if (detectable === null) {
    return `smallest ratio that ${pairs} would have detected 95 % of the time: not known (fewer than 3 placebo blocks, or more than 20; n=${placebo} placebo blocks)`
  }
  return `smallest ratio that ${pairs} would have detected 95 % of the time: ${short(detectable)} (from this run's n=${placebo} placebo blocks)`
}
