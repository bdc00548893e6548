// Promise: a tenant that knows a neighbour's run id cannot read that run.
// Asked of observed reads; the positive control is the owner's own read of a run of his.

import type { ProbeLine, ProbeObservation } from '../evidence/run.ts'
import type { Finding } from '../evidence/types.ts'

export const name = 'runs-stay-with-tenant'
export const promise = "a neighbour's run id on GET shows nothing of the run"

const shown = (o: ProbeObservation) =>
  o.foreign.length > 0 || (o.status >= 200 && o.status < 300 && o.likeUnknown === false)

export function judge(lines: readonly ProbeLine[]): Finding {
  const reads = lines.filter((line): line is ProbeObservation => line.t === 'probe' && line.probe === 'read')
  const asked = reads.filter((o) => o.reader !== o.owner && o.status > 0)
  const controls = reads.filter((o) => o.reader === o.owner && o.status >= 200 && o.status < 300 && o.own > 0)
  const counts = { opportunities: asked.length, controls: controls.length }
  const broken = asked.filter(shown)
  const leaked = broken[0]
  if (leaked) {
    const owners = [...new Set(broken.map((o) => o.owner))].sort()
    const who = [...new Set(broken.map((o) => `${o.reader} read a run of ${o.owner}`))].sort()
    const reason = `${broken.length} of ${asked.length} reads of a neighbour's run were answered with it: ${who.join(', ')}`
    const witness = broken.slice(0, 3).map((o) => ({
      atUs: Math.round(o.atUs),
      arm: o.arm,
      what: `${o.reader}: GET of a run of ${o.owner} answered ${o.status} with ${o.foreign.length} foreign canaries`,
    }))
    return { probe: name, finding: 'broken', tenants: owners, ...counts, reason, witness }
  }
  const readers = [...new Set(asked.map((o) => o.reader))].sort()
  const owners = [...new Set(asked.map((o) => o.owner))]
  const uncontrolled = owners.filter((owner) => !controls.some((o) => o.owner === owner)).sort()
  if (asked.length === 0 || uncontrolled.length > 0) {
    const why =
      asked.length === 0
        ? 'no foreign read was answered'
        : `no successful read by its owner for ${uncontrolled.join(', ')}`
    const reason = `${why} (${asked.length} foreign reads, ${controls.length} positive controls)`
    return { probe: name, finding: 'inconclusive', tenants: uncontrolled, ...counts, reason, witness: [] }
  }
  const bound = ((3 / asked.length) * 100).toPrecision(2)
  const reason = `0 of ${asked.length} foreign reads showed anything (so fewer than ${bound} % do, 95 %); ${controls.length} positive controls`
  return { probe: name, finding: 'held', tenants: readers, ...counts, reason, witness: [] }
}
