// Two promises of one kind: a tenant that idled, and a tenant that is new, come late with a backlog, and get their share
// from then on: nothing is paid back for the time before. Asked of the slot time that it has, beside those who were there.

import { type ActProbe, ActSeen, findings, firstMs, sawRun } from './act-probe.ts'
import { MIN_SPAN_MS } from './shares.ts'
import { backlogged, common, slotMs } from './slot-time.ts'

/** What the latecomer had, as a multiple of its fair share; in the first second after its runs were queued. */
const HELD_AT_MOST = 1.5
const BROKEN_FROM = 2
const AFTER_MS = 1000
/** With one alone, twice its share would be all there is. */
const BUSY_MIN = 2

function judged(name: string, lines: Parameters<ActProbe['judge']>[0]): ReturnType<ActProbe['judge']> {
  const { held, broken, inconclusive } = findings(name)
  const seen = new ActSeen(lines)
  const nowMs = seen.lastMs()
  const busy = [...new Set(seen.runs().map(({ tenant }) => tenant))].filter((tenant) => tenant !== 'late').sort()
  // What it ran before it idled is not what it came with.
  const begins = firstMs(busy.flatMap((tenant) => seen.runs(tenant)))
  const came = seen.runs('late').filter(({ queuedMs }) => queuedMs >= begins)
  const lateSpan = backlogged(came, nowMs)
  const spans = [lateSpan, ...busy.map((tenant) => backlogged(seen.runs(tenant), nowMs))]
  const whole = common(spans)
  const span = { fromMs: whole.fromMs, toMs: Math.min(whole.toMs, whole.fromMs + AFTER_MS) }
  const times = new Map([...busy, 'late'].map((tenant) => [tenant, slotMs(seen.begun(tenant), span)]))
  const all = [...times.values()].reduce((sum, ms) => sum + ms, 0)
  const ofFair = (tenant: string) => (all === 0 ? 0 : ((times.get(tenant) ?? 0) / all) * times.size)
  const late = ofFair('late')
  const done = busy.flatMap((tenant) => seen.begun(tenant)).filter(({ status }) => status === 'done').length
  const counts = { opportunities: came.length, controls: done }
  const spanMs = Math.round(span.toMs - span.fromMs)
  const shares = [...times.keys()].map((tenant) => `${tenant} ${ofFair(tenant).toFixed(2)}`).join(', ')
  const told = `of their fair share had ${shares}, in the first ${spanMs} ms after ${came.length} runs of late were queued`
  const worked = Math.round(span.fromMs - begins)
  if (busy.length < BUSY_MIN || spanMs < MIN_SPAN_MS || worked < 2 * AFTER_MS || done < 20) {
    return inconclusive(
      counts,
      busy,
      `there was no time before to claim (${worked} ms), or all waited together too shortly: ${told}`,
    )
  }
  if (late >= BROKEN_FROM) {
    const witness = came.slice(0, 2).map((run) => sawRun(run, begins))
    return broken(counts, busy, `${told}; they had worked for ${worked} ms before`, witness)
  }
  return late > HELD_AT_MOST ? inconclusive(counts, busy, told) : held(counts, busy, told)
}

export const idleTimeBanksNoCredit: ActProbe = {
  name: 'idle-time-banks-no-credit',
  promise: 'a tenant that comes back from idling does not starve those that worked meanwhile',
  act: 'idler',
  catalogue: ['E18'],
  judge: (lines) => judged('idle-time-banks-no-credit', lines),
}

export const newcomersDoNotStarveOthers: ActProbe = {
  name: 'newcomers-do-not-starve-others',
  promise: 'a new tenant does not starve those that have worked for long',
  act: 'newcomer',
  catalogue: ['E19'],
  judge: (lines) => judged('newcomers-do-not-starve-others', lines),
}
