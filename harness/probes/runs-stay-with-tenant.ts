// Promise: a tenant that knows a neighbour's run id cannot read that run.
// Asked of observed reads; the positive control is the owner's own read of the same run. Refuses to count an answer that
// decides nothing: a failure, or a success that could not be compared with that for an id of nobody.

import type { ProbeLine, ProbeObservation } from '../evidence/run.ts'
import type { Finding } from '../evidence/types.ts'

export const name = 'runs-stay-with-tenant'
export const promise = "a neighbour's run id on GET shows nothing of the run"

const isSuccess = ({ status }: ProbeObservation) => status >= 200 && status < 300
/** Nobody looked whose run it was: not let in, too slow, too much, broken. */
const LOOKED_AT_NOTHING = new Set([401, 408, 429])
const isRefusal = ({ status }: ProbeObservation) => status >= 400 && status < 500 && !LOOKED_AT_NOTHING.has(status)
/** The reader's own run: where each tenant counts its runs by itself, a neighbour's id is its own as well. */
const isReadersOwn = (o: ProbeObservation) => isSuccess(o) && o.own > 0 && o.foreign.length === 0
const pairOf = ({ reader, owner }: ProbeObservation) => `${reader} asking for runs of ${owner}`
const runOf = ({ owner, run }: ProbeObservation) => `${owner}/${run}`
const sorted = (names: Iterable<string>) => [...new Set(names)].sort()

interface Reads {
  foreign: ProbeObservation[]
  /** Successes that showed a run which was the neighbour's. */
  shown: ProbeObservation[]
  /** Successes of which nothing can be said. */
  undecided: ProbeObservation[]
  /** Foreign reads that count: decided, and of a run that its owner was shown. */
  counted: ProbeObservation[]
  controls: ProbeObservation[]
}

function sort(lines: readonly ProbeLine[]): Reads {
  const reads = lines.filter((line): line is ProbeObservation => line.t === 'probe' && line.probe === 'read')
  const foreign = reads.filter((o) => o.reader !== o.owner)
  const controls = reads.filter((o) => o.reader === o.owner && isSuccess(o) && o.own > 0)
  const served = new Set(controls.map(runOf))
  const areIdsShared = foreign.some(isReadersOwn)
  const isShown = (o: ProbeObservation) =>
    o.foreign.length > 0 || (isSuccess(o) && o.own === 0 && o.likeUnknown === false && !areIdsShared)
  const isDecided = (o: ProbeObservation) => isRefusal(o) || isReadersOwn(o) || (isSuccess(o) && o.likeUnknown === true)
  const isControlled = (o: ProbeObservation) => o.run === undefined || served.has(runOf(o))
  return {
    foreign,
    controls,
    shown: foreign.filter(isShown),
    undecided: foreign.filter((o) => isSuccess(o) && !isShown(o) && !isDecided(o)),
    counted: foreign.filter((o) => isShown(o) || (isDecided(o) && isControlled(o))),
  }
}

/** The same reader asking for the same run again is no new question. */
function differentQuestions(asked: readonly ProbeObservation[]): number {
  return new Set(asked.map((o, at) => (o.run === undefined ? at : `${o.reader} ${runOf(o)}`))).size
}

export function judge(lines: readonly ProbeLine[]): Finding {
  const reads = sort(lines)
  const { foreign, shown, undecided, counted, controls } = reads
  const counts = { opportunities: differentQuestions(counted), controls: controls.length }
  const inAll = `${foreign.length} foreign reads in all, ${undecided.length} of them undecided; ${controls.length} positive controls`
  if (shown.length > 0) {
    const who = shown.flatMap((o) => ownersOf(o).map((owner) => `${o.reader} read a run of ${owner}`))
    const reason = `${shown.length} of ${foreign.length} reads of a neighbour's run were answered with it: ${sorted(who).join(', ')}`
    const witness = shown.slice(0, 3).map((o) => ({ atUs: Math.round(o.atUs), arm: o.arm, what: witnessWords(o) }))
    return { probe: name, finding: 'broken', tenants: sorted(shown.flatMap(ownersOf)), ...counts, reason, witness }
  }
  const { tenants, why } = doubts(reads)
  if (why.length > 0) {
    const reason = `${why.join('; ')} (${inAll})`
    return { probe: name, finding: 'inconclusive', tenants, ...counts, reason, witness: [] }
  }
  const bound = ((3 / counts.opportunities) * 100).toPrecision(2)
  const reason = `0 of ${counts.opportunities} different questions (a reader and a run) showed anything (so fewer than ${bound} % do, 95 %); ${inAll}`
  const readers = sorted(counted.map((o) => o.reader))
  return { probe: name, finding: 'held', tenants: readers, ...counts, reason, witness: [] }
}

/** What keeps the promise from being called held. */
function doubts({ foreign, undecided, counted, controls }: Reads): { tenants: string[]; why: string[] } {
  const owners = sorted(foreign.map((o) => o.owner))
  const uncontrolled = owners.filter((owner) => !controls.some((o) => o.owner === owner))
  // A promise is kept by those that were put to the test: everybody who asked, and everybody who was asked for.
  const inDoubt = foreign.filter((o) => !uncontrolled.includes(o.owner))
  const unheard = sorted(inDoubt.map((o) => o.reader)).filter((reader) => !counted.some((o) => o.reader === reader))
  const unasked = sorted(inDoubt.map((o) => o.owner)).filter((owner) => !counted.some((o) => o.owner === owner))
  // Where successes are a way to refuse, some of them were decided; a lone one that was not may have been the leak.
  const understood = new Set(counted.filter(isSuccess).map(pairOf))
  const lone = undecided.filter((o) => !understood.has(pairOf(o)))
  const why: string[] = []
  if (owners.length === 0) why.push('no foreign read was asked')
  if (uncontrolled.length > 0) why.push(`no successful read by its owner for ${uncontrolled.join(', ')}`)
  const undone = [...unheard.map((reader) => `asked by ${reader}`), ...unasked.map((owner) => `of a run of ${owner}`)]
  if (undone.length > 0) why.push(`no foreign read of a run that its owner could read was decided ${undone.join(', ')}`)
  if (lone.length > 0) {
    why.push(
      `${lone.length} successes could not be told from the answer for an id of nobody: ${sorted(lone.map(pairOf)).join(', ')}`,
    )
  }
  return { tenants: sorted([...uncontrolled, ...unheard, ...unasked, ...lone.map((o) => o.owner)]), why }
}

/** Whose bytes were seen; where no canary tells, the owner of the id. */
function ownersOf(o: ProbeObservation): string[] {
  return o.foreign.length > 0 ? sorted(o.foreign.map(({ owner }) => owner)) : [o.owner]
}

function witnessWords(o: ProbeObservation): string {
  const run = o.run === undefined ? 'a run' : `run ${o.run}`
  const shown = o.foreign.length > 0 ? `${o.foreign.length} foreign canaries` : 'what an id of nobody does not get'
  return `${o.reader}: GET of ${run} of ${o.owner} answered ${o.status} with ${shown}`
}
