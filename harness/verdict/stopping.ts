// When the pairs may end: at the first look that decides. A pure function of the evidence so far, so that the run loop and
// the judge stop at the same pair. Refuses to stop on a pass that the run was too blind to give.

import { detectsAtMost } from './detectable.ts'
import { type InterferenceInput, type Look, looks } from './interference.ts'
import { FIRST_LOOK } from './levels.ts'
import type { JudgeInput } from './types.ts'

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
  return detectsAtMost({ ...input, blocks: soFar }, DETECTABLE_AT_MOST)
}

/**
 * Words for the first look that was taken in the run and comes out differently now; null when they agree. Looks that nobody
 * took are no difference where the pairs ended before they could be.
 */
export function differing(input: Pick<JudgeInput, 'looksTaken' | 'targetDied' | 'pairsEnded'>, seen: readonly Look[]) {
  const { looksTaken: taken, targetDied, pairsEnded } = input
  if (taken === undefined) return null
  const cutShort = targetDied !== null || pairsEnded !== null
  for (let i = 0; i < Math.max(taken.length, seen.length); i++) {
    const [then, now] = [taken[i], seen[i]]
    if (then && now && then.pair === now.pair && then.outcome === now.outcome) continue
    if (!then && cutShort) return null
    const was = then ? `${then.outcome} after pair ${then.pair}` : 'no look'
    const is = now ? `${now.outcome} after pair ${now.pair}` : 'no look'
    return `look ${i + 1} was recorded as ${was} and is ${is} when it is replayed (n=${seen.length} looks), so latency findings are inconclusive`
  }
  return null
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
