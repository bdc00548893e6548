// What the harness finds when it looks at its own instruments, before the first arrival and at the end. Facts only; what
// follows from them is said by the self-checks. Refuses to keep a credential, or a key that could be tried against one.

import { createHmac, randomBytes } from 'node:crypto'
import type { ScanCheck, SelfChecks, Thrown } from '../evidence/run.ts'
import type { TenantAccess } from '../target/port.ts'
import type { Canaries } from '../tenants/canary.ts'
import { checkOwners } from '../tenants/owner-check.ts'
import { checkScanner } from '../tenants/scan-check.ts'
import type { Scanner } from '../tenants/scanner.ts'

/** As they were made for the run. */
export interface Inspected {
  canaries: Canaries
  scanner: Scanner
  labelOf(owner: number): string
  /** Of the threads' own scanners. */
  scans: readonly ScanCheck[]
  /** A canary of each quiet tenant as the generator makes it. */
  minted: readonly string[]
  tenants: readonly TenantAccess[]
}

/** Nothing was looked at, and nothing is claimed. */
export const uninspected: SelfChecks = {
  nonce: '',
  scans: [],
  owners: { tenants: 0, mistaken: [] },
  credentials: [],
  questions: { everyMs: 0, due: 0, skipped: 0, thrown: 0, open: 0 },
  thrown: [],
}

export function inspect(
  { canaries, scanner, labelOf, scans, minted, tenants }: Inspected,
  nonce: string,
): Pick<SelfChecks, 'nonce' | 'scans' | 'owners' | 'credentials'> {
  const labels = tenants.slice(0, minted.length).map(({ label }) => label)
  return {
    nonce,
    scans: [checkScanner('the prober', scanner, canaries), ...scans],
    owners: checkOwners(labels, minted, scanner, labelOf),
    credentials: credentialsOf(tenants),
  }
}

/** Tenants are told apart by what their requests carry; the key is new each time and is thrown away. */
function credentialsOf(tenants: readonly TenantAccess[]): SelfChecks['credentials'] {
  const key = randomBytes(32)
  return tenants.map(({ label, start, read, list, stream }) => {
    const headers = [start, read, list].map((call) => Object.entries(call?.headers ?? {}).sort())
    // Where work is started by entries alone, the stream is what tells tenants apart.
    const carried = start === undefined ? [stream?.redisUrl, stream?.key, headers] : headers
    const digest = createHmac('sha256', key).update(JSON.stringify(carried)).digest('hex').slice(0, 12)
    return { tenant: label, digest }
  })
}

/** Errors by who threw them; the first words of each. */
export class ThrownErrors {
  readonly #of = new Map<string, Thrown>()

  add(who: string, times: number, first: string): void {
    if (times === 0) return
    const before = this.#of.get(who)
    this.#of.set(who, { who, times: (before?.times ?? 0) + times, first: before?.first ?? first })
  }

  get all(): Thrown[] {
    return [...this.#of.values()]
  }
}
