// Errors of ours that were thrown where nobody waited for them: how many, and the first words. Values; nothing is changed.

import type { Thrown } from '../evidence/run.ts'

export type ThrownTally = Omit<Thrown, 'who'>

export const noneThrown: ThrownTally = { times: 0, first: '' }

export function oneMore({ times, first }: ThrownTally, error: unknown): ThrownTally {
  return { times: times + 1, first: times === 0 ? String(error) : first }
}
