// Promise: nothing that a tenant lists, reads or receives holds a canary of somebody else, whatever was asked and however
// it was answered. The positive control is the tenant's own canaries in the same places.

import type { ProbeLine, ProbeObservation, SeenCanary } from '../evidence/run.ts'
import type { Finding, Observation } from '../evidence/types.ts'

export const name = 'canaries-stay-with-tenant'
export const promise = 'lists, answers and events hold no canary of another tenant'

/** Where a tenant sees things; each place wants a positive control of its own. */
type Place = 'lists' | 'reads' | 'answers and events'

interface Seen {
  place: Place
  tenant: string
  messages: number
  own: number
}

export function judge(lines: readonly ProbeLine[], tenants: readonly string[]): Finding {
  const seen = new Map<string, Seen>()
  const witness: Observation[] = []
  const owners = new Set<string>()
  const who = new Set<string>()
  let leaks = 0
  const questions = new Set<string>()
  const count = (place: Place, tenant: string, messages: number, own: number) => {
    const key = `${place} of ${tenant}`
    const at = seen.get(key) ?? { place, tenant, messages: 0, own: 0 }
    seen.set(key, { ...at, messages: at.messages + messages, own: at.own + own })
  }
  const leak = (receiver: string, owner: string, observation: Observation) => {
    leaks++
    owners.add(owner)
    who.add(`${receiver} saw a canary of ${owner}`)
    if (witness.length < 3) witness.push(observation)
  }
  for (const line of lines) {
    if (line.t === 'received') count('answers and events', line.tenant, line.messages, line.own)
    if (line.t === 'sighting') {
      const what = `${line.receiver}: canary ${line.digest} of ${line.owner} in ${line.where} (${line.encoding})`
      leak(line.receiver, line.owner, { atUs: Math.round(line.atUs), arm: 'other', what })
    }
    if (line.t !== 'probe') continue
    count(line.probe === 'list' ? 'lists' : 'reads', line.reader, isNews(line, questions) ? 1 : 0, line.own)
    for (const canary of line.foreign) {
      const what = `${line.reader}: canary ${canary.digest} of ${canary.owner} in ${placeWords(line, canary)}`
      leak(line.reader, canary.owner, { atUs: Math.round(line.atUs), arm: line.arm, what })
    }
  }
  const opportunities = [...seen.values()].reduce((sum, at) => sum + at.messages, 0)
  const controls = [...seen.values()].reduce((sum, at) => sum + at.own, 0)
  const counts = { opportunities, controls }
  if (leaks > 0) {
    const reason = `${leaks} foreign canaries in ${opportunities} messages: ${[...who].sort().join(', ')}`
    return { probe: name, finding: 'broken', tenants: [...owners].sort(), ...counts, reason, witness }
  }
  // Of the quiet tenants: a noisy one that is refused everything has nothing of its own to see.
  const unheard = tenants.filter((tenant) => ![...seen.values()].some((at) => at.tenant === tenant))
  const blind = [...seen.values()].filter((at) => tenants.includes(at.tenant) && at.own === 0)
  if (unheard.length + blind.length > 0) {
    const where = [
      ...unheard.map((tenant) => `anything of ${tenant}`),
      ...blind.map((at) => `${at.place} of ${at.tenant}`),
    ]
    const reason = `no positive control: no canary of its own in ${where.join(', ')} (${opportunities} messages in all)${pagesWords(lines)}`
    const whom = [...new Set([...unheard, ...blind.map(({ tenant }) => tenant)])].sort()
    return { probe: name, finding: 'inconclusive', tenants: whom, ...counts, reason, witness: [] }
  }
  const bound = ((3 / opportunities) * 100).toPrecision(2)
  const reason = `0 foreign canaries in ${opportunities} messages (so fewer than ${bound} % hold one, 95 %); ${controls} own canaries seen${pagesWords(lines)}`
  return { probe: name, finding: 'held', tenants: [...tenants], ...counts, reason, witness: [] }
}

/** An answer that is no repetition: the same reader reading the same run again bounds nothing further. */
function isNews(line: ProbeObservation, questions: Set<string>): boolean {
  if (line.status === 0) return false
  if (line.probe === 'list' || line.run === undefined) return true
  const question = `${line.reader} ${line.owner}/${line.run}`
  return !questions.has(question) && questions.add(question).size > 0
}

function placeWords(line: ProbeObservation, canary: SeenCanary): string {
  const answer =
    line.probe === 'list'
      ? `${typeof line.page === 'number' ? `page ${line.page} of ` : ''}its list of runs`
      : `the answer to its read of ${line.run === undefined ? 'a run' : `run ${line.run}`} of ${line.owner}`
  return `${answer} (${line.status}, ${canary.in ?? 'body'}, ${canary.encoding})`
}

/** How deep lists were looked into: a leak may begin behind the first page. */
function pagesWords(lines: readonly ProbeLine[]): string {
  const pages = lines.flatMap((line) => (line.t === 'probe' && line.page !== undefined ? [line.page] : []))
  if (pages.includes('only')) return '; of lists the first page only was asked, as the target names no way to the next'
  if (pages.length === 0) return ''
  const deepest = pages.reduce<number>((most, page) => (typeof page === 'number' && page > most ? page : most), 1)
  return `; lists were asked for to page ${deepest}`
}
