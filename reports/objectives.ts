// The objectives of a finished run as a table, a row for each tenant and objective. Verdict in, rows out. No I/O, no judging.

import type { ObjectiveVerdict, Verdict } from '../harness/evidence/verdict.ts'

export const objectiveColumns = [
  'tenant',
  'objective',
  'limit',
  'observed',
  'lower bound',
  'upper bound',
  'n',
  'verdict',
]

/** What stands where there is no bound, or an operation that never ended. */
const NONE = '–'

export function objectiveRows(verdict: Verdict): string[][] {
  return verdict.tenants.flatMap(({ tenant, objectives }) =>
    objectives.map((objective) => {
      const { name, limit, value, counted, samples, outcome } = objective
      const atMost = objective.unit === 'ms' ? '≤' : '≥'
      const [low, high] = [bound(objective, 'low'), bound(objective, 'high')]
      return [
        tenant,
        name,
        `${atMost} ${figure(objective, limit)}`,
        figure(objective, value),
        low,
        high,
        `${samples} ${counted}`,
        outcome,
      ]
    }),
  )
}

/** Whether there is more to tell than the two objectives that every tenant has. */
export const hasProfiles = ({ tenants }: Verdict): boolean => tenants.some(({ objectives }) => objectives.length > 2)

function figure({ unit }: ObjectiveVerdict, x: number | null): string {
  if (x === null) return NONE
  return unit === 'ms' ? `${Number(x.toPrecision(3))} ms` : `${Number((100 * x).toFixed(3))} %`
}

/** A bound with its one-sided confidence: the one on the limit's far side carries a pass, the other a fail. */
function bound(objective: ObjectiveVerdict, side: 'low' | 'high'): string {
  const { unit, confidence } = objective
  if (confidence === null || objective[side] === null) return NONE
  const passing = (unit === 'ms') === (side === 'high')
  const level = passing ? confidence.pass : confidence.fail
  return `${figure(objective, objective[side])} (${Number((100 * level).toFixed(3))} %)`
}
