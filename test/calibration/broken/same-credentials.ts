// H10: two tenants that carry the same credential. To the target they are one, so each may rightly see the other's data.

import { type Broken, instead } from './broken.ts'

export const sameCredentials: Broken[] = [
  {
    id: 'H10',
    what: 'two quiet tenants with one credential',
    instruments: () =>
      instead({
        crew: (crew) => {
          const [first, second] = crew.quiet
          if (!first || !second) throw new Error('there are not two quiet tenants')
          const { start, read, list } = first
          Object.assign(second, { start, read, list })
          return crew
        },
      }),
    says: /precondition tenants-told-apart did not hold.*quiet-1 and quiet-2 carry the same credential \(digest [0-9a-f]{12}\)/,
  },
]
