// The verdict against what it was formed of, tenant by tenant: nobody is left out, it is no better than its worst part, and
// its percentiles are those of the journal. Pure. A verdict that does not stand this becomes inconclusive with the
// numbers; refuses to make any other verdict of it.

import type { OperationLine } from '../evidence/run.ts'
import type { TenantVerdict, Verdict } from '../evidence/verdict.ts'
import { worst } from '../verdict/ranking.ts'
import type { JudgeInput } from '../verdict/types.ts'
import { agree } from './recount.ts'

/** @param input what the judge was given; @param operations of the journal */
export function secondOpinion(verdict: Verdict, input: JudgeInput, operations: readonly OperationLine[]): Verdict {
  const words = [...tenantsWords(verdict, input), ...factsWords(verdict, input), ...timesWords(verdict, operations)]
  if (words.length === 0) return verdict
  const reasons = words.map((why) => `the verdict is not stood by: ${why}`)
  return { ...verdict, outcome: 'inconclusive', reasons: [...reasons, ...verdict.reasons] }
}

function tenantsWords({ outcome, tenants, interference }: Verdict, { quietTenants }: JudgeInput): string[] {
  const judged = new Set(tenants.map(({ tenant }) => tenant))
  const left = quietTenants.filter((tenant) => !judged.has(tenant))
  const words: string[] = []
  if (left.length > 0 || tenants.length !== quietTenants.length) {
    const missing = left.length === 0 ? '' : `, and ${left.join(', ')} is not among them`
    words.push(`it judges ${tenants.length} tenants of ${quietTenants.length} quiet ones${missing}`)
  }
  const parts = [
    ...tenants.flatMap(({ tenant, slo, success }) => [
      { what: `the SLO of ${tenant}`, outcome: slo },
      { what: `the success ratio of ${tenant}`, outcome: success },
    ]),
    { what: 'interference', outcome: interference.outcome },
  ]
  const worse = parts.filter((part) => worst([part.outcome, outcome]) !== outcome)
  if (worse.length > 0) {
    words.push(`it is ${outcome}, though ${worse.map((part) => `${part.what} is ${part.outcome}`).join(', ')}`)
  }
  return words
}

/** Findings and preconditions are handed on as they were given. */
function factsWords({ findings, preconditions }: Verdict, input: JudgeInput): string[] {
  const asGiven = (facts: readonly object[]) => facts.map((fact) => JSON.stringify(fact))
  const words: string[] = []
  for (const [what, told, given] of [
    ['findings', findings, input.findings],
    ['preconditions', preconditions, input.preconditions],
  ] as const) {
    const [heard, said] = [asGiven(told), asGiven(given)]
    const odd = said.filter((fact) => !heard.includes(fact)).length
    if (odd > 0 || heard.length !== said.length) {
      words.push(`${odd} of ${said.length} ${what} of this run are not in it`)
    }
  }
  return words
}

function timesWords({ tenants }: Verdict, operations: readonly OperationLine[]): string[] {
  const windows = Map.groupBy(operations, ({ tenant, arm }) => `${tenant}/${arm}`)
  return tenants.flatMap((told) => {
    return (['placebo', 'noise'] as const).flatMap((arm) => {
      const mine = windows.get(`${told.tenant}/${arm}`) ?? []
      const why = apart(told, arm, mine)
      return why === null ? [] : [`${told.tenant} under ${arm}: ${why}`]
    })
  })
}

function apart(told: TenantVerdict, arm: 'placebo' | 'noise', mine: readonly OperationLine[]): string | null {
  const n = told.samples[arm]
  if (n !== mine.length) return `${n} samples, where the journal has ${mine.length}`
  const p99Us = p99Of(mine)
  const toldUs = told[arm].p99Ms === null ? null : told[arm].p99Ms * 1000
  const isSame = p99Us === null || toldUs === null ? p99Us === toldUs : agree(p99Us, toldUs)
  return isSame ? null : `p99 ${inMs(toldUs)}, where the journal's intended starts give ${inMs(p99Us)} (n=${n})`
}

/** Nearest rank from the top, in which what did not end well is infinite; null where it falls there, or without samples. */
function p99Of(operations: readonly OperationLine[]): number | null {
  const times = operations.map(({ outcome, intendedUs, endUs }) => (outcome === 'ok' ? endUs - intendedUs : Infinity))
  const sorted = times.sort((x, y) => y - x)
  const value = sorted[Math.min(Math.floor(sorted.length / 100), sorted.length - 1)]
  return value === undefined || value === Infinity ? null : value
}

const inMs = (us: number | null) => (us === null ? 'none' : `${(us / 1000).toFixed(1)} ms`)
