// What a flood scenario may ask of response times: two figures for all quiet tenants, and profiles by role or tenant that add to
// them or replace them. Refuses what no run could answer, and profiles of tenants that nobody measures.

import { z } from 'zod'

const positive = z.number().positive()
const ratio = positive.max(1, 'a share of at most 1: write 0.99 for 99 %')

const percentiles = {
  p50Ms: positive.optional(),
  p90Ms: positive.optional(),
  p99Ms: positive.optional(),
  p999Ms: positive.optional(),
}
const named = Object.keys(percentiles) as Array<keyof typeof percentiles>

const goodSeconds = z
  .strictObject({
    ...percentiles,
    share: positive.lt(1, 'a share below 1: no number of seconds proves that all are good; write 0.99 for 99 %'),
  })
  .superRefine((seconds, context) => {
    const found = named.filter((name) => seconds[name] !== undefined)
    if (found.length === 1) return
    const message = `exactly one of ${named.join(', ')} beside share, not ${found.length}; for example { p99Ms: 250, share: 0.9 }`
    context.addIssue({ code: 'custom', message })
  })

/** Limits grow with the percentile: a smaller one on a larger percentile would make the other superfluous. */
function rising(profile: Partial<Record<keyof typeof percentiles | 'maxMs', number | undefined>>) {
  const limits = [...named, 'maxMs' as const].flatMap((name) => {
    const limit = profile[name]
    return limit === undefined ? [] : [{ name, limit }]
  })
  const at = limits.findIndex(({ limit }, i) => limit < (limits[i - 1]?.limit ?? 0))
  const [lower, upper] = [limits[at - 1], limits[at]]
  if (!lower || !upper) return null
  const message = `${upper.limit} ms is less than the ${lower.limit} ms of ${lower.name}: a larger percentile cannot have the smaller limit`
  return { path: [upper.name], message }
}

const profile = z
  .strictObject({
    ...percentiles,
    maxMs: positive.optional(),
    successRatio: ratio.optional(),
    goodSeconds: goodSeconds.optional(),
  })
  .superRefine((found, context) => {
    if (Object.keys(found).length === 0) {
      const message = `at least one objective: ${[...named, 'maxMs', 'successRatio', 'goodSeconds'].join(', ')}`
      context.addIssue({ code: 'custom', message })
    }
    const fault = rising(found)
    if (fault) context.addIssue({ code: 'custom', ...fault })
  })

export const objectivesSchema = z.strictObject({
  p99Ms: positive,
  successRatio: ratio,
  interferenceRatio: z.number().min(1.25).max(20),
  interferenceFloorMs: z.number().nonnegative().default(0),
  /** By role (`quiet`) or by tenant (`quiet-1`, in the order of the file). What a tenant leaves out is as its role's. */
  profiles: z.record(z.string(), profile).optional(),
})

/** Names of profiles that nobody measured has. @param quiet number of quiet tenants */
export function strangers(profiles: Readonly<Record<string, unknown>> | undefined, quiet: number) {
  const known = new Set(['quiet', ...Array.from({ length: quiet }, (_, i) => `quiet-${i + 1}`)])
  return Object.keys(profiles ?? {})
    .filter((name) => !known.has(name))
    .map((name) => {
      const last = quiet === 1 ? 'quiet-1' : `quiet-1 to quiet-${quiet}`
      const why = name === 'noisy' ? 'response times of the noisy tenant are not judged' : 'there is no such tenant'
      return { name, message: `${why}; name the role \`quiet\`, or one of ${last}` }
    })
}
