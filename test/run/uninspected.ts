// Self-checks of hand-made evidence that nobody inspected: nothing was looked at, and nothing is claimed.

import type { SelfChecks } from '../../harness/evidence/run.ts'

export const uninspected: SelfChecks = {
  nonce: '',
  scans: [],
  owners: { tenants: 0, mistaken: [] },
  credentials: [],
  questions: { everyMs: 0, due: 0, skipped: 0, thrown: 0, open: 0 },
  thrown: [],
}
