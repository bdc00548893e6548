// H8: half of the history is gone: of everything, or of the histograms alone.

import { record } from '../../../harness/run/recorder.ts'
import { type Broken, instead } from './broken.ts'

type Record = typeof record
const half: Record = (labels, operations, ...rest) => {
  return record(labels, operations.slice(operations.length >> 1), ...rest)
}
const halfOfTheLog: Record = (...args) => ({ ...record(...args), log: half(...args).log })

export const truncatedHistory: Broken[] = [
  {
    id: 'H8',
    what: 'a recorder that writes the second half of what it is given',
    instruments: () => instead({ record: half }),
    says: /precondition every-arrival-recorded did not hold.*of \d+ arrivals that the run seed schedules in [\d.]+ s, \d+ are not in the journal/,
  },
  {
    id: 'H8',
    what: 'a recorder that writes half of the histograms',
    instruments: () => instead({ record: halfOfTheLog }),
    says: /precondition histograms-are-the-journals did not hold.* \d+ times of response, where the journal has \d+/,
  },
]
