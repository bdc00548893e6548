// The ledger: what became of every arrival. Packed numbers, so that it crosses threads without copying.
// An arrival is never lost: one without an end is kept as unfinished.

export type OperationOutcome = 'ok' | 'failed' | 'unfinished'

/** One quiet operation. Microseconds after the generator's zero. */
export interface Operation {
  /** Index into the run's quiet tenants. */
  tenant: number
  seq: number
  intendedUs: number
  /** When it left; for one that never left, the time of collection. */
  startUs: number
  /** Completion seen; for an unfinished one, the time of collection: "at least". */
  endUs: number
  outcome: OperationOutcome
}

const FIELDS = 6
const OUTCOMES: OperationOutcome[] = ['ok', 'failed', 'unfinished']

export function pack(operations: readonly Operation[]): Float64Array<ArrayBuffer> {
  const packed = new Float64Array(operations.length * FIELDS)
  operations.forEach((op, i) => {
    packed.set([op.tenant, op.seq, op.intendedUs, op.startUs, op.endUs, OUTCOMES.indexOf(op.outcome)], i * FIELDS)
  })
  return packed
}

export function unpack(packed: Float64Array): Operation[] {
  const operations: Operation[] = []
  for (let i = 0; i < packed.length; i += FIELDS) {
    const [tenant = 0, seq = 0, intendedUs = 0, startUs = 0, endUs = 0, outcome = 2] = packed.subarray(i, i + FIELDS)
    operations.push({ tenant, seq, intendedUs, startUs, endUs, outcome: OUTCOMES[outcome] ?? 'unfinished' })
  }
  return operations
}
