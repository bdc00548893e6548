// What a flood scenario may say of its noise. Refuses noise without bound: beyond these rates the gate would measure the
// machine, not the wall.

import { z } from 'zod'

const wholePositive = z.number().int().positive()

/** About five times what two cores bear beside the quiet load. */
const REQUESTS_PER_SECOND_MAX = 5000
const ENTRIES_PER_SECOND_MAX = 10_000
const BYTES_PER_SECOND_MAX = 64 * 1024 * 1024

const elsewhere = 'the gate bounds its noise, floods without bound belong in `capacity`'
const tooMany = (most: number, what: string) => `at most ${most.toLocaleString('en')} ${what}: ${elsewhere}`
const requestsPerSecond = wholePositive.max(
  REQUESTS_PER_SECOND_MAX,
  tooMany(REQUESTS_PER_SECOND_MAX, 'requests a second'),
)
const connections = wholePositive.max(200)

/** The largest body that a payload hog sends, as a share of the allowed size. */
export const PAYLOAD_ABOVE = 1.25

export const noiseSchema = z
  .strictObject({
    /**
     * Where the noise of the noise blocks goes; to the target where it is left out. To the `sink` it makes an A/A run: both arms
     * are placebo, so that whatever differs between them is the measuring's doing and not the target's.
     */
    to: z.enum(['target', 'sink']).optional(),
    /** Starts over the API. */
    api: z.strictObject({ requestsPerSecond, connections }).optional(),
    /** Entries straight into the noisy tenant's own stream; 0 is none. */
    stream: z
      .strictObject({
        entriesPerSecond: z
          .number()
          .int()
          .nonnegative()
          .max(ENTRIES_PER_SECOND_MAX, tooMany(ENTRIES_PER_SECOND_MAX, 'entries a second')),
      })
      .optional(),
    /** Starts of a workflow that takes `runMs`: few, but each holds a slot for long. */
    slow: z.strictObject({ requestsPerSecond, connections, runMs: wholePositive.max(60_000) }).optional(),
    /** Starts with a body near the allowed size, and a share of them above it. */
    payload: z
      .strictObject({
        requestsPerSecond,
        connections: wholePositive.max(32),
        allowedBytes: wholePositive.min(256).max(4 * 1024 * 1024),
        aboveShare: z.number().min(0).max(1),
      })
      .optional(),
    /** Starts that are sent again at once when they are refused or fail, at most `retries` times each. */
    retry: z.strictObject({ requestsPerSecond, connections, retries: wholePositive.max(20) }).optional(),
  })
  .superRefine((noise, context) => {
    const { api, stream, slow, payload, retry } = noise
    if (!api && !slow && !payload && !retry && !stream?.entriesPerSecond) {
      context.addIssue({ code: 'custom', message: 'at least one of api, stream, slow, payload, retry' })
    }
    const requests = [api, slow, payload, retry].reduce((sum, maker) => sum + (maker?.requestsPerSecond ?? 0), 0)
    if (requests > REQUESTS_PER_SECOND_MAX) {
      const all = `${requests} requests a second in all; `
      context.addIssue({ code: 'custom', message: all + tooMany(REQUESTS_PER_SECOND_MAX, 'of them') })
    }
    const bytes = payload ? payload.requestsPerSecond * payload.allowedBytes * PAYLOAD_ABOVE : 0
    if (bytes > BYTES_PER_SECOND_MAX) {
      const message = `${Math.round(bytes)} bytes of payload a second; ${tooMany(BYTES_PER_SECOND_MAX, 'of them')}`
      context.addIssue({ code: 'custom', path: ['payload'], message })
    }
  })

export type NoiseScenario = z.infer<typeof noiseSchema>
