// The registry's self-test, in each run: a canary as each tenant's sender makes it is found and comes back to the label of
// that tenant. A registry that names another owner would blame one tenant for another's leak, or see none. Sends nothing.

import type { OwnerCheck } from '../evidence/run.ts'
import type { Scanner } from './scanner.ts'

/** The last serial of a tenant's canaries: no sender comes so far. */
export const LAST_SERIAL = 36 ** 6 - 1

/**
 * @param minted one canary of each tenant, in the order of the labels
 * @param labelOf whom the run takes an owner's index for
 */
export function checkOwners(
  labels: readonly string[],
  minted: readonly string[],
  scanner: Pick<Scanner, 'body'>,
  labelOf: (owner: number) => string,
): OwnerCheck {
  const mistaken = labels.flatMap((owner, at) => {
    const [seen] = scanner.body(Buffer.from(minted[at] ?? ''))
    const takenFor = seen ? labelOf(seen.owner) : 'nobody'
    return takenFor === owner ? [] : [{ owner, takenFor }]
  })
  return { tenants: labels.length, mistaken }
}
