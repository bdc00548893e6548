// Promise: a payload above the limit is refused by the API, and makes no run when it is written straight into the stream.
// A payload within the limit is the control.

import { type ActProbe, ActSeen, findings, firstMs, isAccepted, sawRun } from './act-probe.ts'

const name = 'oversize-payloads-are-refused'
const { held, broken, inconclusive } = findings(name)

export const oversizePayloadsAreRefused: ActProbe = {
  name,
  promise: 'a payload above its tenant’s limit makes no run, by whatever way it comes',
  act: 'payload',
  catalogue: ['E04'],
  judge(lines) {
    const seen = new ActSeen(lines)
    const limit = seen.tenants.get('big')?.maxPayloadBytes ?? 0
    const sized = seen.starts.filter(
      ({ tenant, bytes, status }) => tenant === 'big' && bytes !== undefined && status > 0,
    )
    const over = sized.filter(({ bytes = 0 }) => bytes > limit)
    const within = sized.filter(({ bytes = 0 }) => bytes <= limit)
    const written = seen.marks.filter(({ what }) => what === 'written').reduce((sum, { value }) => sum + value, 0)
    const admitted = over.filter(isAccepted)
    const own = new Set(seen.accepted('big').map(({ id }) => id))
    // All that was written straight into the stream in this act was too large.
    const direct = seen.runs('big').filter(({ id }) => !own.has(id))
    const counts = { opportunities: over.length + written, controls: within.filter(isAccepted).length }
    const told = `${admitted.length} of ${over.length} payloads above ${limit} bytes were admitted, ${direct.length} of ${written} that were written into the stream became runs; ${counts.controls} of ${within.length} within the limit were admitted`
    if (admitted.length + direct.length > 0) {
      const answered = admitted.map(({ leftUs, bytes, status }) => {
        return { atUs: leftUs, arm: 'other' as const, what: `big: a body of ${bytes} bytes was answered ${status}` }
      })
      const zeroMs = firstMs(seen.runs('big'))
      return broken(counts, ['big'], told, [...answered.slice(0, 2), ...direct.map((run) => sawRun(run, zeroMs))])
    }
    const unclear = over.filter(({ status }) => status === 429 || status >= 500).length
    if (counts.controls === 0 || counts.controls < within.length || over.length - unclear < 5 || written < 5)
      return inconclusive(counts, ['big'], `too little was refused for its size, or the control failed: ${told}`)
    return held(counts, ['big'], told)
  },
}
