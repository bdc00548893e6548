// Runs the steps of a workflow, one after the other; the output of the last is the output of the run. Refuses to go on
// once the signal is aborted: a run past its deadline must not start another step.

import { setTimeout as sleep } from 'node:timers/promises'
import type { Step } from '../workflow.ts'

export async function runSteps(steps: readonly Step[], input: unknown, signal: AbortSignal): Promise<unknown> {
  let output: unknown = null
  for (const step of steps) {
    signal.throwIfAborted()
    output = await runStep(step, input, signal)
  }
  return output
}

async function runStep(step: Step, input: unknown, signal: AbortSignal): Promise<unknown> {
  switch (step.type) {
    case 'sleep':
      await sleep(step.ms, undefined, { signal })
      return null
    case 'echo':
      return input
  }
}
