// Seeded defect: a step that burns CPU does so in the process's own thread, where no deadline can end it. Counts a trip for
// every such step.

import type { EngineParts } from '../index.ts'
import { runStep } from '../steps/steps.ts'
import type { Trips } from './trips.ts'

export const endlessCompute = (trips: Trips): EngineParts => ({
  runStep: async (step, context) => {
    if (step.type !== 'compute') return await runStep(step, context)
    trips.count()
    const until = performance.now() + step.ms
    let rounds = 0
    while (performance.now() < until) rounds++
    return { rounds }
  },
})
