// What decides a simulated run: the procedure alone, the verdict as shipped, and challengers of the procedure, which differ
// from it in one thing each. All of them see the same runs. Pure.

import type { Outcome } from '../../harness/evidence/verdict.ts'
import { looks } from '../../harness/verdict/interference.ts'
import { judge } from '../../harness/verdict/judge.ts'
import { FIRST_LOOK } from '../../harness/verdict/levels.ts'
import { replay } from '../../harness/verdict/stopping.ts'
import type { JudgeInput } from '../../harness/verdict/types.ts'
import { type Challenger, challenged } from './challenger.ts'

export interface Procedure {
  name: string
  outcome(input: JudgeInput): Outcome
}

/** The first look that decides, without the rule about runs that see too little. */
export const procedure: Procedure = {
  name: 'procedure',
  outcome(input) {
    for (const { outcome } of looks(input, FIRST_LOOK, input.pairsPlanned))
      if (outcome !== 'inconclusive') return outcome
    return 'inconclusive'
  },
}

/** The whole verdict, on the evidence of a run that ended its pairs where the looks end them. */
export const asShipped: Procedure = {
  name: 'as shipped',
  outcome(input) {
    const looksTaken = replay(input).map(({ pair, outcome }) => ({ pair, outcome }))
    const last = looksTaken.at(-1)?.pair ?? input.pairsPlanned
    const blocks = input.blocks.filter(({ pair }) => pair === null || pair <= last)
    return judge({ ...input, blocks, looksTaken }).outcome
  },
}

const shippedRule: Challenger = { below: [{ cap: 2, oneIn: 80 }], above: { cap: 2, oneIn: 80 }, tenants: 'Bonferroni' }

const changed: ReadonlyArray<readonly [name: string, change: Partial<Challenger>]> = [
  ['the rule, written again', {}],
  ['cap 1', { below: [{ cap: 1, oneIn: 80 }], above: { cap: 1, oneIn: 80 } }],
  ['cap 3', { below: [{ cap: 3, oneIn: 80 }], above: { cap: 3, oneIn: 80 } }],
  ['no cap', { below: [{ cap: 1000, oneIn: 80 }], above: { cap: 1000, oneIn: 80 } }],
  ['K 1 %', { below: [{ cap: 2, oneIn: 100 }], above: { cap: 2, oneIn: 100 } }],
  ['K 1.5 %', { below: [{ cap: 2, oneIn: 200 / 3 }], above: { cap: 2, oneIn: 200 / 3 } }],
  ['K 2 %', { below: [{ cap: 2, oneIn: 50 }], above: { cap: 2, oneIn: 50 } }],
  ['max-T', { tenants: 'max-T' }],
  [
    'a pass at 0.8 and 1.25 %',
    {
      below: [
        { cap: 2, oneIn: 125 },
        { cap: 2, oneIn: 80 },
      ],
    },
  ],
  [
    'a pass at 1.25 and 2.5 %',
    {
      below: [
        { cap: 2, oneIn: 80 },
        { cap: 2, oneIn: 40 },
      ],
    },
  ],
  ['spreads shrunk', { shrinkFreedom: 6 }],
]

export const challengers: readonly Procedure[] = changed.map(([name, change]) => {
  const rule = { ...shippedRule, ...change }
  return { name, outcome: (input) => challenged(rule, input) }
})
