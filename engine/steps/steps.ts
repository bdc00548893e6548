// Runs the steps of a workflow, one after the other; the output of the last is the output of the run. Refuses to go on
// once the signal is aborted: a run past its deadline must not start another step.

import { setTimeout as sleep } from 'node:timers/promises'
import type { Step, Used } from '../workflow.ts'
import { compute } from './compute.ts'
import { model } from './model.ts'

export interface StepContext {
  input: unknown
  signal: AbortSignal
  /** The same for every attempt of the same step of the same run; `attempt` tells those apart. */
  seed: string
  attempt: number
  use(used: Used): void
}

export type StepRunner = (step: Step, context: StepContext) => Promise<unknown>

export async function runSteps(
  steps: readonly Step[],
  context: StepContext,
  run: StepRunner = runStep,
): Promise<unknown> {
  let output: unknown = null
  for (const [at, step] of steps.entries()) {
    context.signal.throwIfAborted()
    output = await run(step, at === 0 ? context : { ...context, seed: `${context.seed}/${at}` })
  }
  return output
}

export const runStep: StepRunner = async (step, context) => {
  switch (step.type) {
    case 'sleep':
      // A timer of no length still costs a turn of the loop.
      if (step.ms > 0) await sleep(step.ms, undefined, { signal: context.signal })
      return null
    case 'echo':
      return context.input
    case 'compute':
      return await compute(step.ms, context.signal)
    case 'model':
      return await model(step, context)
  }
}
