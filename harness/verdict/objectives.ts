// What is asked of each quiet tenant, and how sure an answer must be. A pass must hold for each objective by itself; the
// error of a fail is shared between all objectives of all tenants, so that many tenants make no wrong fail likelier. Pure.

import type { Objectives, PercentileLimits, SloProfile } from '../evidence/types.ts'

interface Percentile {
  /** As it is told: p99.9. */
  name: string
  permille: number
}

/** What an objective asks. A limit is at most, a share at least. */
export type Objective =
  | ({ kind: 'percentile'; limitMs: number } & Percentile)
  | { kind: 'max'; limitMs: number }
  | ({ kind: 'seconds'; limitMs: number; share: number } & Percentile)
  | { kind: 'success'; share: number }

/** One-sided confidence of the bounds that carry a pass and a fail, 0..1. */
export interface Confidence {
  pass: number
  fail: number
}

/** Chance of a wrong pass on one objective, and of any wrong fail on all objectives of all tenants, each at most. */
const ERROR = 0.05

/** The role whose profile every measured tenant has. */
const ROLE = 'quiet'

const PERCENTILES: ReadonlyArray<Percentile & { key: keyof PercentileLimits }> = [
  { key: 'p50Ms', name: 'p50', permille: 500 },
  { key: 'p90Ms', name: 'p90', permille: 900 },
  { key: 'p99Ms', name: 'p99', permille: 990 },
  { key: 'p999Ms', name: 'p99.9', permille: 999 },
]

function profileOf({ p99Ms, successRatio, profiles }: Objectives, tenant: string): SloProfile {
  return { p99Ms, successRatio, ...profiles?.[ROLE], ...profiles?.[tenant] }
}

/** The success ratio that a tenant must have, 0..1. */
export function successWanted(objectives: Objectives, tenant: string): number {
  return profileOf(objectives, tenant).successRatio ?? objectives.successRatio
}

function percentiles(limits: PercentileLimits): Array<Percentile & { limitMs: number }> {
  return PERCENTILES.flatMap(({ key, name, permille }) => {
    const limitMs = limits[key]
    return limitMs === undefined ? [] : [{ name, permille, limitMs }]
  })
}

/** Those on response times first, the success ratio last. */
export function objectivesOf(objectives: Objectives, tenant: string): Objective[] {
  const { maxMs, goodSeconds, successRatio, ...limits } = profileOf(objectives, tenant)
  return [
    ...percentiles(limits).map((percentile): Objective => ({ kind: 'percentile', ...percentile })),
    ...(maxMs === undefined ? [] : [{ kind: 'max' as const, limitMs: maxMs }]),
    ...(goodSeconds === undefined ? [] : percentiles(goodSeconds)).map(
      (percentile): Objective => ({ kind: 'seconds', share: goodSeconds?.share ?? 1, ...percentile }),
    ),
    ...(successRatio === undefined ? [] : [{ kind: 'success' as const, share: successRatio }]),
  ]
}

/** Objectives with an interval, over all tenants: a maximum is as observed, and has no error to share. */
export function familySize(objectives: Objectives, tenants: readonly string[]): number {
  return tenants.flatMap((tenant) => objectivesOf(objectives, tenant)).filter(({ kind }) => kind !== 'max').length
}

/**
 * Bonferroni: with m objectives each fails at 5 %/m, so that the chance of any wrong fail is at most 5 % whatever depends on
 * whatever. A pass of the run needs every objective, so each is tested at 5 % uncorrected (intersection-union test: Berger,
 * Technometrics 24, 1982).
 */
export function confidenceOf(family: number): Confidence {
  return { pass: 1 - ERROR, fail: 1 - ERROR / Math.max(1, family) }
}

/** Whether any objective asks about seconds. */
export function asksAboutSeconds({ profiles = {} }: Objectives): boolean {
  return Object.values(profiles).some(({ goodSeconds }) => goodSeconds !== undefined)
}

/** The largest limit on response times, milliseconds: an operation older than that has missed every objective. */
export function largestLimitMs(objectives: Objectives): number {
  const limits = [objectives.p99Ms]
  for (const { maxMs, goodSeconds, ...profile } of Object.values(objectives.profiles ?? {})) {
    limits.push(
      maxMs ?? 0,
      ...[profile, goodSeconds ?? {}].flatMap((named) => percentiles(named).map((p) => p.limitMs)),
    )
  }
  return Math.max(...limits)
}

/** The smallest limit on a percentile of at most p99, by permille: what our own lateness must be small beside. */
export function tightestMs(objectives: Objectives): Array<Percentile & { limitMs: number }> {
  const named = Object.values(objectives.profiles ?? {})
  const all = [objectives, ...named, ...named.flatMap(({ goodSeconds }) => goodSeconds ?? [])].flatMap(percentiles)
  return PERCENTILES.filter(({ permille }) => permille <= 990).flatMap(({ name, permille }) => {
    const limits = all.filter((one) => one.permille === permille).map(({ limitMs }) => limitMs)
    return limits.length === 0 ? [] : [{ name, permille, limitMs: Math.min(...limits) }]
  })
}
