// H3: a registry that takes each tenant's canaries for its neighbour's. With it every answer to a tenant is a leak.

import { type Broken, instead } from './broken.ts'

export const wrongOwner: Broken[] = [
  {
    id: 'H3',
    what: 'a registry that names the neighbour',
    instruments: () => instead({ owners: (labels) => (owner) => labels[(owner + 1) % labels.length] ?? 'unknown' }),
    says: 'precondition tenants-told-apart did not hold, so findings about data are inconclusive: a canary of quiet-1 is taken for one of quiet-2',
  },
]
