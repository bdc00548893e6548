// What the instruments found of themselves, as named facts that must hold: the scanners, the registry of owners, the
// tenants' credentials, the probes' questions, errors that were thrown, the noise that was ordered, and the quiet of the
// placebo blocks. Pure: evidence in, facts out. Refuses to take a check that was not made for one that held.

import type { Evidence, ProbeLine } from '../evidence/run.ts'
import type { Precondition } from '../evidence/verdict.ts'
import { blindness, mistakes } from './doubts.ts'

/** Of the questions whose time must have come. Ids of runs may be wanting for all but the lists: one of five, or less. */
const ASKED_LEAST = 0.1
/** A timer that fires late, and never early, skips no more than this. */
const DUE_LEAST = 0.5
/** Placebo blocks after which something of the noisy tenant was there: a sentinel's own run may be slow now and then. */
const BUSY_MOST = 0.25

export function selfChecks(evidence: Evidence, lines: readonly ProbeLine[]): Precondition[] {
  const arms = (['placebo', 'noise'] as const).filter((arm) => evidence.blocks.some((block) => block.arm === arm))
  if (evidence.blocks.length === 0) return []
  return [
    scans(evidence),
    owners(evidence),
    ...questions(evidence, lines),
    nothingThrown(evidence),
    ...arms.map((arm) => noiseAsPlanned(evidence, arm)),
    ...quietPlacebo(evidence),
  ]
}

function scans({ selfChecks: checks }: Evidence): Precondition {
  const planted = checks.scans.reduce((sum, scan) => sum + scan.planted, 0)
  const blind = blindness(checks)
  const who = checks.scans.map((scan) => scan.who).join(', ')
  const detail =
    checks.scans.length === 0
      ? '0 scanners were checked'
      : blind.length > 0
        ? blind.join('; ')
        : `all ${planted} planted canaries were found, in every sink and encoding, by ${who}`
  return { name: 'scanners-see', held: checks.scans.length > 0 && blind.length === 0, spoils: 'data', detail }
}

function owners({ selfChecks: checks, quietTenants }: Evidence): Precondition {
  const wrong = mistakes(checks)
  const unchecked = checks.owners.tenants < quietTenants.length || checks.credentials.length <= quietTenants.length
  const { tenants } = checks.owners
  const detail =
    wrong.length > 0
      ? wrong.join('; ')
      : `canaries of ${tenants} of ${quietTenants.length} quiet tenants came back to their owner; ${checks.credentials.length} tenants have ${new Set(checks.credentials.map(({ digest }) => digest)).size} different credentials`
  return { name: 'tenants-told-apart', held: wrong.length === 0 && !unchecked, spoils: 'data', detail }
}

/** The clock says how many questions there must have been; the journal, how many were answered; the prober, the rest. */
function questions({ blocks, selfChecks: checks }: Evidence, lines: readonly ProbeLine[]): Precondition[] {
  const { everyMs, due, skipped, thrown, open } = checks.questions
  const answered = lines.filter((line) => {
    return line.t === 'probe' && (line.probe === 'read' || line.page === 1 || line.page === 'only')
  }).length
  if (everyMs === 0) {
    const detail = 'the target names no route that a data probe could ask'
    return [{ name: 'questions-asked', held: answered === 0, spoils: 'data', detail }]
  }
  const blockMs = blocks.reduce((sum, { startUs, endUs }) => sum + Math.round((endUs - startUs) / 1000), 0)
  const expected = Math.floor(blockMs / everyMs)
  const lost = due - skipped - thrown - open - answered
  const held = due >= expected * DUE_LEAST && answered >= expected * ASKED_LEAST && lost <= 0
  const unaccounted = lost > 0 ? `, and ${lost} are unaccounted for` : ''
  const detail = `the data probes put ${due} questions, where ${blocks.length} blocks of ${blockMs / 1000} s in all have room for ${expected}, one every ${everyMs} ms: ${answered} answered, ${skipped} without a run to ask for, ${thrown} ended by an error of ours, ${open} still open${unaccounted}`
  return [{ name: 'questions-asked', held, spoils: 'data', detail }]
}

function nothingThrown({ selfChecks: { thrown } }: Evidence): Precondition {
  const told = thrown.map(({ who, times, first }) => `${who} threw ${times} times, the first: ${first}`)
  const detail = told.length === 0 ? '0 errors of ours were thrown where nobody waited for them' : told.join('; ')
  // It may have hidden a leak, or made a quiet operation look failed.
  return { name: 'nothing-thrown', held: thrown.length === 0, spoils: 'both', detail }
}

/** What the makers were told is what the scenario asks for, block by block. */
function noiseAsPlanned(evidence: Evidence, arm: 'placebo' | 'noise'): Precondition {
  const { blocks, noise, noisePlanned, interrupted, targetDied, brokeOff, pairsEnded } = evidence
  const lengthUs = Math.max(...blocks.map(({ startUs, endUs }) => endUs - startUs))
  // A window that was cut has no whole length; its noise may have come to its end all the same, and count, or not.
  const whole = blocks.filter((block) => block.arm === arm && block.endUs - block.startUs === lengthUs).length
  const mayDiffer = interrupted || targetDied !== null || brokeOff !== null || pairsEnded !== null ? 1 : 0
  const told = Object.entries(noisePlanned).map(([maker, perSecond]) => {
    const each = Math.round((perSecond * lengthUs) / 1e6)
    const ordered = noise[arm].makers[maker as keyof typeof noisePlanned]?.ordered ?? 0
    const held = Math.abs(ordered - each * whole) <= each * mayDiffer
    return { held, words: `${maker}: ${ordered} ordered, where ${whole} blocks of ${each} want ${each * whole}` }
  })
  return {
    name: `noise-as-planned-${arm}`,
    held: told.length > 0 && told.every(({ held }) => held),
    // Too little noise causes no rise; what the placebo blocks lack may have gone to the target.
    spoils: arm === 'noise' ? 'pass' : 'both',
    detail: `${told.length === 0 ? 'no noise was planned' : told.map(({ words }) => words).join('; ')} in the ${arm} blocks`,
  }
}

/**
 * In a placebo block the noisy tenant has nothing at the target: noise that goes on there makes both arms alike, and a fail
 * is a fail all the more.
 */
function quietPlacebo({ drains }: Evidence): Precondition[] {
  const looked = drains.filter(({ after, pair, left }) => after === 'placebo' && pair !== null && left !== null)
  if (looked.length === 0) return []
  const busy = looked.filter(({ left }) => left !== 0)
  const most = busy.reduce((sum, { left }) => Math.max(sum, left ?? 0), 0)
  const detail = `runs of the noisy tenant were at the target after ${busy.length} of ${looked.length} placebo blocks, at most ${most} (after a quarter of them at most, where its own sentinel is slow)`
  return [{ name: 'placebo-quiet', held: busy.length <= looked.length * BUSY_MOST, spoils: 'pass', detail }]
}
