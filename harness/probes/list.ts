// Every probe: one line each.

import * as canaries from './canaries-stay-with-tenant.ts'
import * as runs from './runs-stay-with-tenant.ts'

export const probes = [runs, canaries]
