// Every broken checker: one line for each of the catalogue's.

import { averagedVerdict } from './averaged-verdict.ts'
import type { Broken } from './broken.ts'
import { hiddenStall } from './hidden-stall.ts'
import { loudBaseline } from './loud-baseline.ts'
import { previousRun } from './previous-run.ts'
import { sameCredentials } from './same-credentials.ts'
import { scannerSkips } from './scanner-skips.ts'
import { sendsNothing } from './sends-nothing.ts'
import { swallowedError } from './swallowed-error.ts'
import { truncatedHistory } from './truncated-history.ts'
import { weakNoise } from './weak-noise.ts'
import { wrongOwner } from './wrong-owner.ts'

export const broken: readonly Broken[] = [
  ...sendsNothing,
  ...scannerSkips,
  ...wrongOwner,
  ...hiddenStall,
  ...weakNoise,
  ...loudBaseline,
  ...swallowedError,
  ...truncatedHistory,
  ...averagedVerdict,
  ...sameCredentials,
  ...previousRun,
]
