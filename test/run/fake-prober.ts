// A prober that asks a target of a few lines at its rhythm, on the fake crew's clock: the owner of a run is shown it, with
// the owner's canary, and nobody else is. Scanner and registry are those of the crew. Opens no socket.

import type { ProbeObservation } from '../../harness/evidence/run.ts'
import type { Arm } from '../../harness/evidence/types.ts'
import type { Crew } from '../../harness/run/crew.ts'
import type { Prober } from '../../harness/run/prober.ts'
import type { TenantAccess } from '../../harness/target/port.ts'

const EVERY_MS = 50

type Parts = Pick<Crew, 'nowUs' | 'quiet' | 'noisy' | 'inspected'>

/** Whom the target takes a tenant for: it knows nothing but what a request carries. */
const knownAs = ({ start }: TenantAccess) => start?.headers['x-tenant']

export function fakeProber(parts: () => Parts): Prober {
  let begun: { arm: Arm; atUs: number } | null = null
  let seen: ProbeObservation[] = []
  let [due, taken] = [0, 0]
  const rest = () => {
    if (begun === null) return
    const { arm, atUs } = begun
    begun = null
    for (let us = atUs + EVERY_MS * 1000; us <= parts().nowUs(); us += EVERY_MS * 1000) {
      seen.push(question(parts(), due++, { arm, atUs: us }))
    }
  }
  return {
    begin: (arm) => {
      begun = { arm, atUs: parts().nowUs() }
    },
    rest,
    learn: () => {},
    take: () => {
      const took = seen
      seen = []
      taken = due
      return took
    },
    account: () => ({
      questions: { everyMs: EVERY_MS, due: taken, skipped: 0, thrown: 0, open: 0 },
      thrown: { times: 0, first: '' },
    }),
  }
}

function question(
  { quiet, noisy, inspected: { canaries, scanner, labelOf } }: Parts,
  turn: number,
  when: Pick<ProbeObservation, 'arm' | 'atUs'>,
): ProbeObservation {
  const readers = [...quiet, noisy]
  const reader = readers[turn % readers.length] ?? noisy
  const round = Math.floor(turn / readers.length)
  const isList = round % (quiet.length + 1) === quiet.length
  const owner = isList ? reader : (quiet[round % (quiet.length + 1)] ?? reader)
  const isShown = knownAs(reader) === knownAs(owner)
  const canary = canaries.mintFor(readers.indexOf(owner), turn).mint()
  const found = isShown ? scanner.body(Buffer.from(`{"input":"${canary}"}`)) : []
  const named = found.map(({ owner: index, digest, encoding }) => ({ owner: labelOf(index), digest, encoding }))
  const own = named.filter((sighting) => sighting.owner === reader.label)
  return {
    t: 'probe',
    probe: isList ? 'list' : 'read',
    ...when,
    reader: reader.label,
    owner: owner.label,
    ...(isList ? { page: 'only' } : { run: `run-of-${owner.label}` }),
    status: isShown ? 200 : 404,
    own: own.length,
    foreign: named.filter((sighting) => sighting.owner !== reader.label),
    likeUnknown: null,
  }
}
