// What a broken checker is: a part of the harness that does less, or other, than it says, and the words by which a run that
// was made with it has to say so. The harness itself knows none of them.

import type { Verdict } from '../../../harness/evidence/verdict.ts'
import { type Instruments, sound } from '../../../harness/run/instruments.ts'
import type { Play } from '../../run/fake-crew.ts'

/** A sound run that went before: something to be taken over from. */
export interface Previous {
  verdict: Verdict
  /** A file of its folder. */
  text(name: string): string
}

export interface Broken {
  id: `H${number}`
  /** What is wrong with it. */
  what: string
  /** What the target is like, where the break needs something to hide; an unremarkable one otherwise. */
  play?: Play
  /** What becomes of the same run with sound instruments; a pass where it is left out. */
  twin?: Verdict['outcome']
  instruments(previous: Previous): Instruments
  /** Of the run's reasons. */
  says: string | RegExp
}

/** Between 4 and 11 ms, and hardly ever the same twice: a golden section of the seven further on with each operation. */
export const varied = (us: number): number => 4 + (((us / 4000) * 4.326) % 7)

export const instead = (parts: Partial<Instruments>): Instruments => ({ ...sound, ...parts })
