// A stub for a call to a language model: a declared delay, declared tokens, failures as often as declared. Refuses to be
// random: the same seed, run and attempt fail alike, so a run can be repeated.

import { hash } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Step } from '../workflow.ts'
import type { StepContext } from './steps.ts'

/** Uniform in [0, 1). */
function draw(text: string): number {
  return Number.parseInt(hash('sha256', text, 'hex').slice(0, 8), 16) / 2 ** 32
}

export async function model(step: Extract<Step, { type: 'model' }>, context: StepContext): Promise<{ tokens: number }> {
  await sleep(step.ms, undefined, { signal: context.signal })
  context.use({ tokens: step.tokens })
  const { seed, attempt } = context
  if (draw(`${step.seed}/${seed}/${attempt}`) < step.failureRate) throw new Error('the model failed')
  return { tokens: step.tokens }
}
