// The judge: everything a run saw in, one verdict out. Pure; the same evidence gives the same verdict, byte for byte.
// Refuses to pass on nothing: no samples, no findings, no opportunity to find anything.

import type { Outcome, TenantVerdict, Verdict } from '../evidence/verdict.ts'
import { detectableRatio } from './detectable.ts'
import { failEdge, passEdge } from './exceedance.ts'
import type { Look } from './interference.ts'
import { FIRST_LOOK } from './levels.ts'
import { isolationReport } from './report.ts'
import { completePairs } from './samples.ts'
import { DETECTABLE_AT_MOST, differing, replay } from './stopping.ts'
import { judgeTenant, latencyOutcome, type Spoilers, worst } from './tenant.ts'
import type { JudgeInput } from './types.ts'
import { count, findingGround, type Ground, ms, short } from './wording.ts'

export function judge(input: JudgeInput): Verdict {
  const looks = replay(input)
  const last = looks.at(-1)
  const pairs = completePairs(input.blocks, input.pairsPlanned).length
  const detectable = detectableRatio(input)
  const spoilers: Spoilers = {
    pass: [...preconditionWords(input, 'pass'), ...contradictions(input, looks)],
    fail: [...preconditionWords(input, 'fail'), ...contradictions(input, looks)],
    interferencePass: blindness(detectable),
  }
  const tenants = input.quietTenants.map((tenant) => judgeTenant(input, tenant, last, spoilers))
  const interference = latencyOutcome(last?.outcome ?? 'inconclusive', spoilers, 'interference')
  const grounds = [
    ...circumstances(input),
    ...input.findings.map((finding) => findingGround(finding, true)),
    ...emptiness(input),
    ...[...new Set([...spoilers.pass, ...spoilers.fail])].map((words): Ground => ({ outcome: 'inconclusive', words })),
    ...preconditionWords(input, 'data').map((words): Ground => ({ outcome: 'inconclusive', words })),
    interferenceGround(input, interference, last, pairs),
    ...(last?.outcome === 'pass' ? spoilers.interferencePass : []).map(
      (words): Ground => ({ outcome: 'inconclusive', words }),
    ),
    ...tenants.flatMap(tenantGrounds),
  ]
  const rank: Outcome[] = ['fail', 'inconclusive', 'pass']
  const ordered = rank.flatMap((outcome) => grounds.filter((ground) => ground.outcome === outcome))
  return {
    outcome: worst(grounds.map((ground) => ground.outcome)),
    reasons: [...ordered.map((ground) => ground.words), zoneWords(input), detectableWords(detectable, input)],
    tenants,
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

function blindness(detectable: number | null): string[] {
  if (detectable === null) return ['no interference pass: the smallest detectable ratio could not be computed']
  if (detectable <= DETECTABLE_AT_MOST) return []
  return [
    `no interference pass: a rise below ${short(detectable)}-fold could have been missed more than 5 times in 100, the limit is ${DETECTABLE_AT_MOST}-fold`,
  ]
}

function circumstances(input: JudgeInput): Ground[] {
  const grounds: Ground[] = []
  if (input.targetDied !== null) grounds.push({ outcome: 'fail', words: `the target died: ${input.targetDied}` })
  if (input.pairsEnded !== null) {
    const pairs = completePairs(input.blocks, input.pairsPlanned).length
    const words = `pairs ended early, after ${pairs} of ${input.pairsPlanned}, and what was seen is judged: ${input.pairsEnded}`
    grounds.push({ outcome: 'pass', words })
  }
  return grounds
}

/** A pass needs something that could have gone wrong. */
function emptiness(input: JudgeInput): Ground[] {
  const missing: string[] = []
  if (input.quietTenants.length === 0) missing.push('no quiet tenant was named, so nothing was measured')
  if (input.blocks.length === 0) missing.push('0 blocks were recorded, so nothing was measured')
  if (input.findings.length === 0) missing.push('0 probes reported, so isolation was not judged')
  else if (!input.findings.some((finding) => finding.finding === 'held' || finding.finding === 'broken')) {
    missing.push(`none of ${input.findings.length} probes could answer, so isolation was not judged`)
  }
  if (input.pairsPlanned < FIRST_LOOK)
    missing.push(`${input.pairsPlanned} pairs were planned; fewer than 3 decide nothing`)
  return missing.map((words) => ({ outcome: 'inconclusive', words }))
}

function interferenceGround(input: JudgeInput, outcome: Outcome, last: Look | undefined, pairs: number): Ground {
  const limit = `the limit of ${short(input.objectives.interferenceRatio)}`
  const planned = `of ${input.pairsPlanned} planned pairs`
  const raw = last?.outcome ?? 'inconclusive'
  if (last === undefined || raw === 'inconclusive') {
    return { outcome, words: `interference: undecided against ${limit} after ${pairs} ${planned}` }
  }
  const guilty = last.tenants.filter((tenant) => tenant.fails).map((tenant) => tenant.tenant)
  const whom = raw === 'fail' ? `${guilty.join(', ')} above` : `all ${last.tenants.length} quiet tenants within`
  const spoilt = raw === outcome ? '' : ', counted as inconclusive'
  return { outcome, words: `interference: ${whom} ${limit}, decided after pair ${last.pair} ${planned}${spoilt}` }
}

/** The tenant's own reasons, each ranked by the outcome it explains; the rest stay with the tenant. */
function tenantGrounds(tenant: TenantVerdict): Ground[] {
  const [slo, success, interference] = tenant.reasons
  return [
    { outcome: tenant.slo, words: slo ?? '' },
    { outcome: tenant.success, words: success ?? '' },
    // A tenant that did not tip the scales is no reason against a run that was decided as a whole.
    ...(tenant.interference === 'inconclusive' ? [] : [{ outcome: tenant.interference, words: interference ?? '' }]),
  ]
}

function zoneWords(input: JudgeInput): string {
  const pass = passEdge(input.objectives)
  const fail = failEdge(input.objectives)
  const floor = pass.floorMs > 0 ? `; floors ${ms(pass.floorMs)} and ${ms(fail.floorMs)}` : ''
  return `a pass is evidence that the p99 ratio is below ${short(pass.ratio)}, a fail that it is above ${short(fail.ratio)}; in between either may happen${floor}`
}

function detectableWords(detectable: number | null, input: JudgeInput): string {
  const pairs = `${input.pairsPlanned} pairs`
  if (detectable === null) {
    return `smallest ratio that ${pairs} would have detected 95 % of the time: not known (fewer than 3 placebo blocks, or more than 20)`
  }
  return `smallest ratio that ${pairs} would have detected 95 % of the time: ${short(detectable)} (from this run's placebo blocks)`
}
