// What becomes of a finding about data when the instruments that it rests on are in doubt. A blind scanner can see nothing,
// but what it saw it saw; a registry that names the wrong owner, or tenants with one credential, spoil both ways. Pure.

import type { SelfChecks } from '../evidence/run.ts'
import type { Finding } from '../evidence/types.ts'

/** Why nothing can be said of the data of these tenants, whatever was seen; empty where nothing speaks against it. */
export function mistakes({ owners, credentials }: SelfChecks): string[] {
  const why = owners.mistaken.map(({ owner, takenFor }) => `a canary of ${owner} is taken for one of ${takenFor}`)
  for (const [at, { tenant, digest }] of credentials.entries()) {
    const twin = credentials.slice(0, at).find((other) => other.digest === digest)
    if (twin) why.push(`${twin.tenant} and ${tenant} carry the same credential (digest ${digest})`)
  }
  return why
}

/** Why a leak may not have been seen. */
export const blindness = ({ scans }: SelfChecks): string[] =>
  scans
    .filter(({ planted, found }) => planted === 0 || found < planted)
    .map(({ who, planted, found, missed }) => {
      return `${who} found ${found} of ${planted} planted canaries${missed.length === 0 ? '' : `, and missed ${missed.join(', ')}`}`
    })

/** The finding as it can be stood by. */
export function doubted(finding: Finding, checks: SelfChecks): Finding {
  const wrong = mistakes(checks)
  const why = finding.finding === 'held' ? [...wrong, ...blindness(checks)] : finding.finding === 'broken' ? wrong : []
  if (why.length === 0) return finding
  const reason = `${why.join('; ')}, so “${finding.finding}” is not stood by: ${finding.reason}`
  return { ...finding, finding: 'inconclusive', reason }
}
