// When the pairs may end: at the first look that decides. A pure function of the evidence so far, so that the run loop and
// the judge stop at the same pair. Refuses to stop on a pass that the run was too blind to give.

import { detectableRatio } from './detectable.ts'
import { type InterferenceInput, type Look, looks } from './interference.ts'
import { FIRST_LOOK } from './levels.ts'

/** A run that could have missed a rise larger than this says nothing by passing. */
export const DETECTABLE_AT_MOST = 3

type StoppingInput = InterferenceInput & { runSeed: number }

/**
 * A fail always ends the pairs. A pass does when a threefold rise would have been seen 95 times in 100: with more placebo
 * blocks that is known better, so the pairs go on until it is so or they are used up.
 */
export function decides(look: Look, input: StoppingInput): boolean {
  if (look.outcome !== 'pass') return look.outcome === 'fail'
  const soFar = input.blocks.filter(({ pair }) => pair === null || pair <= look.pair)
  const detectable = detectableRatio({ ...input, blocks: soFar })
  return detectable !== null && detectable <= DETECTABLE_AT_MOST
}

/** Every look from the third pair up to the first that decides, or to the last complete pair. */
export function replay(input: StoppingInput): Look[] {
  const seen: Look[] = []
  for (const look of looks(input, FIRST_LOOK, input.pairsPlanned)) {
    seen.push(look)
    if (decides(look, input)) break
  }
  return seen
}
