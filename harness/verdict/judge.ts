// The judge: everything a run saw in, one verdict out. Pure; the same evidence gives the same verdict, byte for byte.
// Refuses to pass on nothing: no samples, no findings, no opportunity to find anything.

import type { Verdict } from '../evidence/verdict.ts'
import { detectableRatio } from './detectable.ts'
import { failEdge, passEdge } from './exceedance.ts'
import type { Look } from './interference.ts'
import { detectableWords, interferenceGround, zoneWords } from './interference-words.ts'
import { FIRST_LOOK } from './levels.ts'
import { type Ground, ranked, worst } from './ranking.ts'
import { isolationReport } from './report.ts'
import { completePairs } from './samples.ts'
import { DETECTABLE_AT_MOST, differing, replay } from './stopping.ts'
import { judgeTenant, latencyOutcome, type Spoilers } from './tenant.ts'
import type { JudgeInput } from './types.ts'
import { count, findingGround, short } from './wording.ts'

export function judge(input: JudgeInput): Verdict {
  const looks = replay(input)
  const last = looks.at(-1)
  const pairs = completePairs(input.blocks, input.pairsPlanned).length
  const detectable = detectableRatio(input)
  const spoilers: Spoilers = {
    pass: [...preconditionWords(input, 'pass'), ...contradictions(input, looks)],
    fail: [...preconditionWords(input, 'fail'), ...contradictions(input, looks)],
    interferencePass: blindness(detectable, input),
  }
  const tenants = input.quietTenants.map((tenant) => judgeTenant(input, tenant, last, spoilers))
  const interference = latencyOutcome(last?.outcome ?? 'inconclusive', spoilers, 'interference')
  const grounds = [
    ...circumstances(input),
    ...input.findings.map((finding) => findingGround(finding, true)),
    ...emptiness(input),
    ...[...new Set([...spoilers.pass, ...spoilers.fail])].map((words): Ground => ({ outcome: 'inconclusive', words })),
    ...preconditionWords(input, 'data').map((words): Ground => ({ outcome: 'inconclusive', words })),
    interferenceGround(input, interference, last),
    ...(last?.outcome === 'pass' ? spoilers.interferencePass : []).map(
      (words): Ground => ({ outcome: 'inconclusive', words }),
    ),
    ...tenants.flatMap((tenant) => tenant.grounds),
  ]
  return {
    outcome: worst(grounds.map((ground) => ground.outcome)),
    reasons: [...ranked(grounds), zoneWords(input), detectableWords(detectable, input)],
    tenants: tenants.map((tenant) => tenant.verdict),
    interference: {
      outcome: interference,
      pairs,
      pairsPlanned: input.pairsPlanned,
      passEdge: passEdge(input.objectives).ratio,
      failEdge: failEdge(input.objectives).ratio,
      detectableRatio: detectable,
      looks: looks.map(({ pair, outcome }) => ({ pair, outcome })),
    },
    findings: input.findings,
    preconditions: input.preconditions,
    isolation: isolationReport(input),
  }
}

const spoiltKind = {
  pass: 'a latency pass is',
  fail: 'a latency fail is',
  both: 'latency findings are',
  data: 'findings about data are',
}

function preconditionWords(input: JudgeInput, seen: 'pass' | 'fail' | 'data'): string[] {
  return input.preconditions
    .filter(({ held, spoils }) => !held && (spoils === seen || (spoils === 'both' && seen !== 'data')))
    .map(
      ({ name, spoils, detail }) =>
        `precondition ${name} did not hold, so ${spoiltKind[spoils]} inconclusive: ${detail}`,
    )
}

/** Evidence that contradicts itself cannot carry a latency finding; arrivals that were never sent are of that kind. */
function contradictions(input: JudgeInput, looks: readonly Look[]): string[] {
  let unsent = 0
  let offered = 0
  let uncounted = 0
  for (const window of input.blocks.flatMap((block) => block.tenants)) {
    if (!input.quietTenants.includes(window.tenant)) continue
    const recorded = window.responseUs.reduce((sum, [, times]) => sum + times, 0)
    offered += window.offered
    unsent += Math.max(0, window.offered - window.ok - window.failed - window.unfinished)
    uncounted += Math.abs(window.ok - recorded)
  }
  const words: string[] = []
  const look = differing(input, looks)
  if (look !== null) words.push(look)
  const of = `of ${count(offered)} offered in ${input.blocks.length} blocks`
  if (unsent > 0)
    words.push(
      `${count(unsent)} arrivals ${of} have no outcome (dropped by the generator), so latency findings are inconclusive`,
    )
  if (uncounted > 0)
    words.push(
      `${count(uncounted)} response times ${of} disagree with the count of ok operations, so latency findings are inconclusive`,
    )
  return words
}

function blindness(detectable: number | null, input: JudgeInput): string[] {
  if (detectable !== null && detectable <= DETECTABLE_AT_MOST) return []
  const n = `n=${input.blocks.filter(({ arm }) => arm === 'placebo').length} placebo blocks`
  if (detectable === null) {
    return [`no interference pass: the smallest detectable ratio could not be computed (${n})`]
  }
  return [
    `no interference pass: a rise below ${short(detectable)}-fold could have been missed more than 5 times in 100, the limit is ${DETECTABLE_AT_MOST}-fold (${n})`,
  ]
}

function circumstances(input: JudgeInput): Ground[] {
  const grounds: Ground[] = []
  const pairs = completePairs(input.blocks, input.pairsPlanned).length
  if (input.targetDied !== null) {
    const n = `after ${pairs} of ${input.pairsPlanned} pairs, ${input.blocks.length} blocks`
    grounds.push({ outcome: 'fail', words: `the target died: ${input.targetDied} (${n})` })
  }
  if (input.noiseTo === 'sink') {
    const words =
      'A/A run: the noise of both arms went to the placebo sink, so a pass says that the measuring invents no interference, and nothing of what noise does to the target'
    grounds.push({ outcome: 'pass', words })
  }
  if (input.pairsEnded !== null) {
    const words = `pairs ended early, after ${pairs} of ${input.pairsPlanned} pairs, and what was seen is judged: ${input.pairsEnded}`
    grounds.push({ outcome: 'pass', words })
  }
  return grounds
}

/** A pass needs something that could have gone wrong. */
function emptiness(input: JudgeInput): Ground[] {
  const missing: string[] = []
  if (input.quietTenants.length === 0)
    missing.push(`0 quiet tenants were named (n=${input.blocks.length} blocks), so nothing was measured`)
  if (input.blocks.length === 0) missing.push('0 blocks were recorded, so nothing was measured')
  if (input.findings.length === 0) missing.push('0 probes reported, so isolation was not judged')
  else if (!input.findings.some((finding) => finding.finding === 'held' || finding.finding === 'broken')) {
    missing.push(`none of ${input.findings.length} probes could answer, so isolation was not judged`)
  }
  if (input.pairsPlanned < FIRST_LOOK)
    missing.push(`${input.pairsPlanned} pairs were planned; fewer than 3 pairs decide nothing`)
  return missing.map((words) => ({ outcome: 'inconclusive', words }))
}
