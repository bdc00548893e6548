// What a scenario file may say. Strict: an unknown key is an error, never ignored.

import { z } from 'zod'
import { acts } from '../acts/list.ts'
import { noiseSchema } from './noise-schema.ts'
import { objectivesSchema, strangers } from './objectives-schema.ts'

const actNames = acts.map(({ name }) => name)

const positive = z.number().positive()
const wholePositive = z.number().int().positive()

/** The largest limits that the reference engine takes; a test holds the two together. */
const limits = z.strictObject({
  startsPerMinute: wholePositive.max(1_000_000),
  concurrentRuns: wholePositive.max(10_000),
  maxRunMs: wholePositive.max(86_400_000),
  maxQueued: wholePositive.max(1_000_000),
})

/** As long as the reference engine lets a step take: an hour. */
const stepMs = z.number().int().nonnegative().max(3_600_000)

/** More than this the generator, one thread, cannot send on time. */
const ARRIVALS_PER_SECOND_MAX = 10_000
/** How arrivals lie in time: `harness/load/shapes.ts`. A burst comes every size/arrivalsPerSecond seconds. */
const schedule = z.union([
  z.enum(['poisson', 'uniform']),
  z.strictObject({ burst: z.strictObject({ size: wholePositive.max(10_000) }) }),
  /** From arrivalsPerSecond on, which is where it begins. */
  z.strictObject({
    ramp: z.strictObject({ toPerSecond: positive.max(5000), overMs: wholePositive.max(3_600_000) }),
  }),
])

const quietTenants = z.strictObject({
  role: z.literal('quiet'),
  count: wholePositive.max(64),
  arrivalsPerSecond: positive.max(5000),
  /** poisson where it is left out. */
  schedule: schedule.optional(),
  stepMs,
  limits,
})

const noisyTenant = z.strictObject({
  role: z.literal('noisy'),
  count: z.literal(1),
  stepMs,
  limits,
})

type Tenant = z.infer<typeof quietTenants> | z.infer<typeof noisyTenant>

function arrivalsPerSecond(tenants: readonly Tenant[]): number {
  return tenants.reduce((sum, t) => sum + (t.role === 'quiet' ? t.count * t.arrivalsPerSecond : 0), 0)
}

const head = {
  scenario: z.string().regex(/^[a-z0-9-]{1,64}$/, 'lower-case letters, digits and hyphens'),
  question: z.string().min(1),
}

/** Quiet tenants beside a noisy one, in blocks with and without noise: what is meant where no kind is named. */
const floodSchema = z
  .strictObject({
    kind: z.literal('flood').optional(),
    ...head,
    tenants: z
      .array(z.discriminatedUnion('role', [quietTenants, noisyTenant]))
      .refine((all) => all.filter((t) => t.role === 'quiet').length >= 1, 'at least one tenant with the role quiet')
      .refine((all) => all.filter((t) => t.role === 'noisy').length === 1, 'exactly one tenant with the role noisy')
      .superRefine((all, context) => {
        const total = arrivalsPerSecond(all)
        if (total <= ARRIVALS_PER_SECOND_MAX) return
        const message = `the quiet tenants ask for ${total} arrivals a second together (count times arrivalsPerSecond); the generator sends at most ${ARRIVALS_PER_SECOND_MAX}`
        context.addIssue({ code: 'custom', message })
      }),
    noise: noiseSchema,
    blocks: z
      .strictObject({
        pairs: z.number().int().min(3).max(200),
        lengthMs: z.number().int().min(500).max(60_000),
        settleMs: z.number().int().nonnegative(),
        silence: z.number().int().min(1).max(20),
        warmUpMs: z.number().int().min(500).max(60_000),
      })
      .refine(({ settleMs, lengthMs }) => settleMs < lengthMs, {
        path: ['settleMs'],
        message: 'must be less than lengthMs: what is left of a block after settling is what is measured',
      }),
    objectives: objectivesSchema,
  })
  .superRefine(({ tenants, objectives }, context) => {
    const quiet = tenants.reduce((sum, tenant) => sum + (tenant.role === 'quiet' ? tenant.count : 0), 0)
    for (const { name, message } of strangers(objectives.profiles, quiet)) {
      context.addIssue({ code: 'custom', path: ['objectives', 'profiles', name], message })
    }
  })

export type Scenario = z.infer<typeof floodSchema>

/** Acts, one after the other: each makes tenants of its own, does something to them, and writes down what became of it. */
const actsSchema = z.strictObject({
  kind: z.literal('acts'),
  ...head,
  /** Runs that the target works at the same time, where the adapter can say so. */
  slots: wholePositive.max(5000),
  acts: z
    .array(z.enum(actNames as [string, ...string[]]))
    .min(1)
    .refine((names) => new Set(names).size === names.length, 'each act once'),
})

export type ActsScenario = z.infer<typeof actsSchema>

export const scenarioSchema = z.discriminatedUnion('kind', [floodSchema, actsSchema])

/** As a file or a module says it, defaults left out. */
export type ScenarioInput = z.input<typeof scenarioSchema>
