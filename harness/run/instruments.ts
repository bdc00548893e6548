// What a run trusts of its own: the parts of the harness that a broken one could stand for. The command line never sets
// them; a run takes the sound ones. Tests put broken ones in their place, to show that a run says so and does not pass.

import { Canaries } from '../tenants/canary.ts'
import { type Scanner, scannerOf } from '../tenants/scanner.ts'
import { judge } from '../verdict/judge.ts'
import type { Crew } from './crew.ts'
import { record } from './recorder.ts'

export interface Instruments {
  /** The run's canaries, by their key. */
  canaries(key: string): Canaries
  /** Looks for them in what the probes are answered; the threads have scanners of their own, which check themselves. */
  scanner(canaries: Canaries): Scanner
  /** Whom an owner's index stands for. @param labels of all tenants, by index */
  owners(labels: readonly string[]): (owner: number) => string
  /** The crew as it stands, before time moves on. */
  crew<T extends Crew>(crew: T): T
  record: typeof record
  judge: typeof judge
}

export const sound: Instruments = {
  canaries: (key) => new Canaries(key),
  scanner: scannerOf,
  owners: (labels) => (owner) => labels[owner] ?? 'unknown',
  crew: (crew) => crew,
  record,
  judge,
}
