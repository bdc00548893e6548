// The judge of a scenario of acts: findings in, one verdict out. Pure. Refuses to pass on nothing.

import type { ActsVerdict } from '../evidence/acts.ts'
import type { Finding } from '../evidence/types.ts'
import type { Outcome } from '../evidence/verdict.ts'
import { worst } from './tenant.ts'
import { findingGround, type Ground } from './wording.ts'

export function judgeActs(findings: Finding[], targetDied: string | null, interrupted: boolean): ActsVerdict {
  const grounds: Ground[] = findings.map((finding) => findingGround(finding, false))
  if (targetDied !== null) grounds.push({ outcome: 'fail', words: `the target died: ${targetDied}` })
  if (interrupted) grounds.push({ outcome: 'inconclusive', words: 'the run was interrupted' })
  if (!findings.some(({ finding }) => finding === 'held' || finding === 'broken')) {
    const words = `none of ${findings.length} probes could answer, so isolation was not judged`
    grounds.push({ outcome: 'inconclusive', words })
  }
  const rank: Outcome[] = ['fail', 'inconclusive', 'pass']
  const reasons = rank.flatMap((outcome) => grounds.filter((g) => g.outcome === outcome).map(({ words }) => words))
  return { outcome: worst(grounds.map(({ outcome }) => outcome)), reasons, findings }
}
