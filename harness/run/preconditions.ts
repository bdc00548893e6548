// What must hold before a latency finding may be pass or fail. Pure: evidence in, named facts out.

import type { Evidence } from '../evidence/run.ts'
import type { Block, MakerTally } from '../evidence/types.ts'
import type { Precondition } from '../evidence/verdict.ts'
import { Counts } from '../recording/counts.ts'
import { successWanted, tightestMs } from '../verdict/objectives.ts'

const ms = (us: number) => `${(us / 1000).toFixed(1)} ms`
const percent = (share: number) => `${(share * 100).toFixed(1)} %`

/** CPU of the noise makers may differ this much between the arms. */
const CPU_TOLERANCE = 0.1
const SENT_TOLERANCE = 0.01
/** Share of the ordered noise that must be answered without an error, and sent before its block was over. */
const DELIVERED = 0.95
/** In silence the quiet p50 may be at most this, and at most twice the declared step time. */
const QUIET_P50_LIMIT_US = 30_000

export function preconditions(
  evidence: Evidence,
  blocks: readonly Block[],
  intervals: ReadonlyMap<string, Counts>,
): Precondition[] {
  const arms = (['placebo', 'noise'] as const).filter((arm) => blocks.some((block) => block.arm === arm))
  return [
    ...arms.map((arm) => sentOnTime(blocks, arm)),
    ...arms.map((arm) => lateness(evidence, intervals, arm)),
    ...evidence.hiccups.map((tally) => hiccups(evidence, tally)),
    ...arms.map((arm) => noiseDelivered(evidence, arm)),
    // Where only one arm was reached there is nothing to compare, and no ratio either.
    ...(arms.length === 2 ? [cpuAgrees(evidence)] : []),
    ...evidence.quietTenants.map((tenant) => canBeHurt(tenant, blocks)),
    ...wellWithoutNoise(evidence, blocks),
    ...noiseDrained(evidence, intervals),
    ...(evidence.brokeOff === null ? [] : [whole(evidence.brokeOff, blocks.length)]),
  ]
}

function sentOnTime(blocks: readonly Block[], arm: 'placebo' | 'noise'): Precondition {
  const windows = blocks.filter((block) => block.arm === arm)
  const sum = (of: 'offered' | 'sent') => windows.flatMap((b) => b.tenants).reduce((total, t) => total + t[of], 0)
  const [offered, sent] = [sum('offered'), sum('sent')]
  const held = offered > 0 && Math.abs(sent - offered) / offered <= SENT_TOLERANCE
  return {
    name: `sent-as-scheduled-${arm}`,
    held,
    spoils: 'both',
    detail: `${sent} of ${offered} scheduled arrivals were sent in ${windows.length} ${arm} blocks (within 1 % wanted)`,
  }
}

function pooled(intervals: ReadonlyMap<string, Counts>, arm: string, kind: string): Counts {
  const of = [...intervals].filter(([tag]) => {
    const [, tagArm, , tagKind] = tag.split('/')
    return tagArm === arm && tagKind === kind
  })
  return Counts.sum(of.map(([, counts]) => counts))
}

/** Each percentile that an objective names must be measured ten times more finely than it is limited. */
function lateness(evidence: Evidence, intervals: ReadonlyMap<string, Counts>, arm: string): Precondition {
  const counts = pooled(intervals, arm, 'lateness')
  const n = counts.total
  const seen = tightestMs(evidence.objectives).map(({ name, permille, limitMs }) => {
    return { name, late: counts.quantile(permille / 1000), limitUs: limitMs * 100 }
  })
  const told = seen.map(({ name, late, limitUs }) => `${name} ${ms(late ?? 0)} (limit ${ms(limitUs)})`)
  const detail =
    n === 0
      ? `no arrivals were sent in the ${arm} blocks (n=0)`
      : `send lateness ${told.join(', ')} over ${n} arrivals in the ${arm} blocks (a tenth of the SLO is the limit)`
  const held = seen.every(({ late, limitUs }) => late !== null && late <= limitUs)
  return { name: `send-lateness-${arm}`, held, spoils: 'both', detail }
}

function hiccups(evidence: Evidence, tally: Evidence['hiccups'][number]): Precondition {
  const limitUs = 100 * (tightestMs(evidence.objectives).find(({ name }) => name === 'p99')?.limitMs ?? 0)
  if (tally.samples === 0) {
    const detail = `the hiccup meter in the ${tally.who} gave no answer (n=0), so a stall of the machine would not have been seen`
    return { name: `hiccups-${tally.who}`, held: false, spoils: 'both', detail }
  }
  return {
    name: `hiccups-${tally.who}`,
    held: tally.p99Us <= limitUs,
    spoils: 'both',
    detail: `timers in the ${tally.who} were late by p99 ${ms(tally.p99Us)}, at most ${ms(tally.maxUs)} (n=${tally.samples}; p99 limit ${ms(limitUs)})`,
  }
}

function noiseDelivered(evidence: Evidence, arm: 'placebo' | 'noise'): Precondition {
  const makers = Object.entries(evidence.noise[arm].makers)
  const toSink = arm === 'placebo' || evidence.noiseTo === 'sink'
  const held = makers.length > 0 && makers.every(([, maker]) => delivered(maker, toSink ? 'sink' : 'target'))
  const told = makers.map(([name, m]) => {
    const late =
      m.sentLate === 0 ? '' : `, ${m.sentLate} after the end of their block (the last at ${ms(m.lastSentUs)})`
    const sink = toSink || m.sinkSeen > 0 ? `, ${m.sinkSeen} seen by the sink` : ''
    return `${name}: ${m.sent} of ${m.ordered} sent${late}, ${m.answered} answered, ${m.errors} errors${sink}`
  })
  // What our sink did not see of the placebo may have gone to the target, and then both arms are alike.
  const strayed = arm === 'placebo' && makers.some(([, { sent, sinkSeen }]) => sinkSeen < sent)
  return {
    name: `noise-delivered-${arm}`,
    held,
    // Weak noise cannot have caused a rise that was not there; weak placebo can.
    spoils: arm === 'noise' ? 'pass' : strayed ? 'both' : 'fail',
    detail: `${told.length > 0 ? told.join('; ') : 'no noise was made'} in the ${arm} blocks (95 % answered without error and sent within their block wanted)`,
  }
}

/** Sent and answered, in its own block; what went to our sink was also seen there, every one of it, and of the rest next to none. */
function delivered({ ordered, sent, answered, sentLate, sinkSeen }: MakerTally, to: 'target' | 'sink'): boolean {
  const enough = ordered > 0 && answered >= ordered * DELIVERED && sent - sentLate >= ordered * DELIVERED
  return enough && (to === 'target' ? sinkSeen <= ordered * (1 - DELIVERED) : sinkSeen === sent)
}

function cpuAgrees(evidence: Evidence): Precondition {
  const { placebo, noise } = evidence.noise
  const mean = (placebo.cpuUs + noise.cpuUs) / 2
  const apart = mean === 0 ? 1 : Math.abs(noise.cpuUs - placebo.cpuUs) / mean
  return {
    name: 'noise-makers-cpu',
    held: apart <= CPU_TOLERANCE,
    // The arm whose makers took more CPU was the more burdened one by our own doing.
    spoils: noise.cpuUs > placebo.cpuUs ? 'fail' : 'pass',
    detail: `the noise makers used ${ms(placebo.cpuUs)} of CPU under placebo and ${ms(noise.cpuUs)} under noise: ${percent(apart)} apart (10 % allowed)`,
  }
}

function canBeHurt(tenant: Evidence['quietTenants'][number], blocks: readonly Block[]): Precondition {
  const windows = blocks
    .filter((block) => block.arm === 'silence')
    .flatMap((block) => block.tenants.filter((t) => t.tenant === tenant.label))
  const counts = Counts.of(windows.flatMap((t) => t.responseUs))
  const p50 = counts.quantile(0.5)
  const n = counts.total
  const { stepMs, pollMs } = tenant
  const held = p50 !== null && p50 <= QUIET_P50_LIMIT_US && (stepMs + pollMs) * 1000 <= p50 / 2
  const poll = pollMs === 0 ? '' : ` and up to ${pollMs} ms of waiting for the next poll`
  return {
    name: `can-be-hurt-${tenant.label}`,
    held,
    spoils: 'pass',
    detail: `${tenant.label}: p50 in silence ${p50 === null ? 'unknown' : ms(p50)} (n=${n}; at most 30 ms wanted), of which ${stepMs} ms declared step time${poll} (at most half wanted)`,
  }
}

/** Failures outside the noise make the two arms look alike: they must not help a pass. */
function wellWithoutNoise({ objectives, rehearsed }: Evidence, blocks: readonly Block[]): Precondition[] {
  const placebo = blocks.filter(({ arm }) => arm === 'placebo').flatMap(({ tenants }) => tenants)
  const shares = [...new Set(placebo.map(({ tenant }) => tenant))].map((tenant) => {
    const mine = placebo.filter((window) => window.tenant === tenant)
    const sum = (of: 'ok' | 'offered') => mine.reduce((total, window) => total + window[of], 0)
    const open = mine.reduce((total, { cut }) => total + (cut?.open ?? 0), 0)
    const wanted = successWanted(objectives, tenant)
    return { who: `${tenant} under placebo`, ok: sum('ok'), offered: sum('offered') - open, wanted }
  })
  const after = 'quiet operations after the noise of the warm-up was over'
  const told = [
    { name: 'well-under-placebo', parts: shares },
    {
      name: 'well-after-warm-up',
      parts: rehearsed ? [{ who: after, ...rehearsed, wanted: objectives.successRatio }] : [],
    },
  ]
  return told.flatMap(({ name, parts }): Precondition[] => {
    const short = (part: { ok: number; offered: number; wanted: number }) => part.wanted - part.ok / part.offered
    const [worst] = parts.filter(({ offered }) => offered > 0).sort((x, y) => short(y) - short(x))
    if (!worst) return []
    const { who, ok, offered, wanted } = worst
    const detail = `${who}: ${ok} of ${offered} ended well (at least ${percent(wanted)} wanted)`
    return [{ name, held: ok >= offered * wanted, spoils: 'pass', detail }]
  })
}

/** A backlog that nobody saw go may lie in the next block. It matters when the placebo blocks are slower than silence. */
function noiseDrained({ drains, objectives }: Evidence, intervals: ReadonlyMap<string, Counts>): Precondition[] {
  if (drains.length === 0) return []
  const seen = drains.filter(({ end }) => end === 'seen')
  const longest = Math.max(0, ...seen.map(({ tookMs }) => tookMs))
  const words = `the noisy backlog was seen to be drained ${seen.length} of ${drains.length} times, within at most ${longest} ms`
  const name = 'noise-drained'
  if (seen.length === drains.length) return [{ name, held: true, spoils: 'pass', detail: words }]
  const ends = new Map<string, number>()
  for (const { end, why } of drains) {
    const how = why === '' ? end : `${end} (${why})`
    if (end !== 'seen') ends.set(how, (ends.get(how) ?? 0) + 1)
  }
  const others = [...ends].map(([how, times]) => `${how} ${times} times`).join(', ')
  const [placebo, silence] = ['placebo', 'silence'].map((arm) => pooled(intervals, arm, 'response').quantile(0.99))
  const { interferenceRatio, interferenceFloorMs } = objectives
  const known = typeof placebo === 'number' && typeof silence === 'number'
  const held = known && placebo <= Math.max(silence * interferenceRatio, silence + interferenceFloorMs * 1000)
  const p99s = known ? `${ms(placebo)} and ${ms(silence)}` : 'not known'
  const detail = `${words}; ${others}. p99 under placebo and in silence: ${p99s} (a ratio of at most ${interferenceRatio} wanted, where not every drain was seen)`
  return [{ name, held, spoils: 'pass', detail }]
}

function whole(brokeOff: string, blocks: number): Precondition {
  return {
    name: 'run-whole',
    held: false,
    spoils: 'pass',
    detail: `the run broke off after ${blocks} blocks: ${brokeOff}`,
  }
}
