// The judge of a scenario of acts: findings in, one verdict out. Pure. Refuses to pass on nothing.

import type { ActsVerdict } from '../evidence/acts.ts'
import type { Finding } from '../evidence/types.ts'
import { type Ground, ranked, worst } from './ranking.ts'
import { findingGround } from './wording.ts'

export function judgeActs(findings: Finding[], targetDied: string | null, interrupted: boolean): ActsVerdict {
  const grounds: Ground[] = findings.map((finding) => findingGround(finding, false))
  const answered = findings.filter(({ finding }) => finding === 'held' || finding === 'broken')
  const so = `${answered.length} of ${findings.length} probes could answer`
  if (targetDied !== null) grounds.push({ outcome: 'fail', words: `the target died: ${targetDied}; ${so}` })
  if (interrupted) grounds.push({ outcome: 'inconclusive', words: `the run was interrupted; ${so}` })
  if (answered.length === 0) {
    const words = `none of ${findings.length} probes could answer, so isolation was not judged`
    grounds.push({ outcome: 'inconclusive', words })
  }
  return { outcome: worst(grounds.map(({ outcome }) => outcome)), reasons: ranked(grounds), findings }
}
