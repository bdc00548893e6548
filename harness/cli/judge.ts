// partywall judge: recomputes the verdict from saved evidence and says whether it is the one that was recorded.

import { exitCodes } from '../failure.ts'
import { recordedVerdict, verdictText } from '../run/folder.ts'
import { judgeFolder } from '../run/judge-folder.ts'

export async function judgeCommand(argv: { run: string; json: boolean }): Promise<number> {
  const { evidence, verdict } = judgeFolder(argv.run)
  const text = verdictText(verdict)
  const recorded = recordedVerdict(argv.run)
  const same =
    recorded === null
      ? 'no verdict was recorded'
      : recorded === text
        ? 'identical to the recorded one'
        : 'NOT the recorded one'
  if (argv.json) process.stdout.write(text)
  else for (const reason of verdict.reasons) process.stderr.write(`  ${reason}\n`)
  process.stderr.write(`verdict: ${verdict.outcome} (${same}), run seed ${evidence.runSeed}\n`)
  if (recorded !== null && recorded !== text) return exitCodes.inconclusive
  return exitCodes[verdict.outcome]
}
