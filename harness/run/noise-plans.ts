// Which noise makers a scenario has on a given target, and what each of them sends. Pure. A maker that the target has no
// way for is named with its reason, never left out in silence.

import type { Evidence } from '../evidence/run.ts'
import type { MakerName } from '../evidence/types.ts'
import type { ApiNoisePlan, StreamNoisePlan } from '../load/noise-messages.ts'
import { type NoiseScenario, PAYLOAD_ABOVE } from '../scenario/noise-schema.ts'
import type { Call, TenantAccess } from '../target/port.ts'

/** The noisy tenant's workflow that the slow-run hog starts. */
export const SLOW = 'slow'

/** What a maker needs beside the sink's address and the canary key. */
export type MakerPlan = { perSecond: number } & (
  | Omit<ApiNoisePlan, 'sinkOrigin' | 'canaryKey'>
  | Omit<StreamNoisePlan, 'sinkRedisUrl'>
)

export interface Makers {
  plans: MakerPlan[]
  notApplicable: Evidence['notApplicable']
}

/** Bodies of a payload hog are mostly this share of the allowed size. */
const PAYLOAD_NEAR = 0.95

export function makersOf(noise: NoiseScenario, noisy: TenantAccess, canary: string): Makers {
  const plans: MakerPlan[] = []
  const notApplicable: Makers['notApplicable'] = []
  const { api, stream, slow, payload, retry } = noise
  const start = noisy.start && fillCall(noisy.start, canary)
  const noStart = (what: string) => notApplicable.push({ what, why: 'the target is started by its streams only' })
  const over = (maker: MakerName, call: Call, { requestsPerSecond, connections }: Rate, retries = 0) => {
    const target = { origin: noisy.origin, call }
    return { kind: 'api' as const, maker, perSecond: requestsPerSecond, connections, retries, target }
  }
  if (api) {
    if (start) plans.push(over('api', start, api))
    else noStart('API flood')
  }
  if (stream && stream.entriesPerSecond > 0) {
    if (noisy.stream) {
      const target = fillStream(noisy.stream, canary)
      plans.push({ kind: 'stream', maker: 'stream', perSecond: stream.entriesPerSecond, target })
    } else notApplicable.push({ what: 'stream flood', why: 'the target offers no direct stream access' })
  }
  if (slow) {
    const call = noisy.starts?.[SLOW]
    if (call) plans.push(over('slow', fillCall(call, canary), slow))
    else notApplicable.push({ what: 'slow-run hog', why: 'the target offers no start of a slow workflow' })
  }
  if (payload) {
    const sized = (share: number) =>
      noisy.start ? padded(noisy.start, canary, Math.round(share * payload.allowedBytes)) : null
    const [near, above] = [sized(PAYLOAD_NEAR), sized(PAYLOAD_ABOVE)]
    if (near && above?.body !== undefined) {
      plans.push({ ...over('payload', near, payload), other: { body: above.body, share: payload.aboveShare } })
    } else notApplicable.push({ what: 'payload hog', why: 'a start of the target has no canary that could be padded' })
  }
  if (retry) {
    if (start) plans.push(over('retry', start, retry, retry.retries))
    else noStart('retry storm')
  }
  return { plans, notApplicable }
}

interface Rate {
  requestsPerSecond: number
  connections: number
}

/** The body grows inside its canary's text, so that it stays what the target understands. Null where it has none. */
function padded(call: Call, canary: string, bytes: number): Call | null {
  if (!call.body?.includes('{{canary}}')) return null
  const places = call.body.split('{{canary}}').length - 1
  const missing = bytes - Buffer.byteLength(fillCall(call, canary).body ?? '')
  return fillCall(call, `${canary}${'.'.repeat(Math.max(0, Math.floor(missing / places)))}`)
}

/** With its canary filled in: makers send the same bytes each time. */
function fillCall(call: Call, canary: string): Call {
  return call.body === undefined ? call : { ...call, body: call.body.replaceAll('{{canary}}', canary) }
}

/** The stream's fields, likewise. */
function fillStream(stream: NonNullable<TenantAccess['stream']>, canary: string) {
  const fill = (text: string) => text.replaceAll('{{canary}}', canary)
  return {
    ...stream,
    fields: Object.fromEntries(Object.entries(stream.fields).map(([name, value]) => [name, fill(value)])),
  }
}
