// H4: recorders that hide a stall. Times from the actual send (in the recorder, or already where an operation is said to
// have been due), and means in the place of single times.

import { type Operation, unpack } from '../../../harness/load/ledger.ts'
import { record } from '../../../harness/run/recorder.ts'
import { type Play, packed } from '../../run/fake-crew.ts'
import { type Broken, instead, varied } from './broken.ts'

type Record = typeof record

/** A journal that tells the truth, and histograms that do not. */
const histogramsOf =
  (changed: (operations: readonly Operation[]) => Operation[]): Record =>
  (labels, operations, ...rest) => {
    const { journal, facts } = record(labels, operations, ...rest)
    return { journal, facts, log: record(labels, changed(operations), ...rest).log }
  }

const fromActualSend = (op: Operation): Operation => {
  return { ...op, endUs: op.intendedUs + (op.endUs - (op.handedUs ?? op.endUs)) }
}

function averaged(operations: readonly Operation[]): Operation[] {
  const well = operations.filter(({ outcome }) => outcome === 'ok')
  const meanUs = well.reduce((sum, { intendedUs, endUs }) => sum + endUs - intendedUs, 0) / well.length
  return operations.map((op) => (op.outcome === 'ok' ? { ...op, endUs: op.intendedUs + meanUs } : op))
}

/** Every operation is handed over 10 to 20 ms late. */
const lateMs = (us: number) => 10 + (((us / 4000) * 2.71) % 10)
const sentLate: Play = { sentLateMs: lateMs, fate: (us) => lateMs(us) + varied(us) }

/** In each second there is a stall of 300 ms: what is due in it waits for its end. */
const stalled: Play = {
  fate: (us) => {
    const intoMs = (us % 1e6) / 1000
    return intoMs >= 500 && intoMs < 800 ? 800 - intoMs + 4 : 4
  },
}

/** Sends what was due in a stall when it is over, and says that it was due then. */
const dueWhenSent = (op: Operation): Operation => {
  const waitedUs = op.endUs - op.intendedUs - 4000
  return waitedUs > 0 ? { ...op, intendedUs: op.intendedUs + waitedUs, handedUs: op.intendedUs + waitedUs } : op
}

export const hiddenStall: Broken[] = [
  {
    id: 'H4',
    what: 'a recorder that counts from the actual send',
    play: sentLate,
    instruments: () => instead({ record: histogramsOf((operations) => operations.map(fromActualSend)) }),
    says: /precondition histograms-are-the-journals did not hold.*: response p50 \d\.\d ms, where the journal's intended starts give 2\d\.\d ms/,
  },
  {
    id: 'H4',
    what: 'a recorder that puts the mean in the place of each time',
    instruments: () => instead({ record: histogramsOf(averaged) }),
    says: /precondition histograms-are-the-journals did not hold.*: response p(50|99) [\d.]+ ms, where the journal's intended starts give/,
  },
  {
    id: 'H4',
    what: 'a generator that waits for the target, and says that its arrivals were due when they left',
    play: stalled,
    twin: 'fail',
    instruments: () =>
      instead({
        crew: (crew) => {
          const { generator } = crew
          const collect: typeof generator.collect = async (...args) => {
            const told = await generator.collect(...args)
            return { ...told, operations: packed(unpack(told.operations).map(dueWhenSent)) }
          }
          return Object.assign(crew, { generator: { collect } })
        },
      }),
    says: /precondition every-arrival-recorded did not hold.* \d+ stand there with another start or tenant, by up to (29\d|300)\.\d ms/,
  },
]
