// The share of offered operations that ended well under noise. Whole interval on one side of the objective, or no answer.

import type { TenantWindow } from '../evidence/types.ts'
import type { Interval, Outcome } from '../evidence/verdict.ts'
import { shareInterval } from './binomial.ts'

export interface SuccessResult {
  outcome: Outcome
  /** Share, 0..1. */
  share: Interval
  ok: number
  offered: number
}

export function judgeSuccess(noise: readonly TenantWindow[], objective: number): SuccessResult {
  let ok = 0
  let offered = 0
  /** Cut before their timeout: for a fail they count as ended well. */
  let open = 0
  for (const window of noise) {
    ok += window.ok
    offered += window.offered
    open += window.cut?.open ?? 0
  }
  const share = { ...shareInterval(ok, offered), high: shareInterval(ok + open, offered).high }
  if (offered === 0) return { outcome: 'inconclusive', share, ok, offered }
  const outcome = share.low >= objective ? 'pass' : share.high < objective ? 'fail' : 'inconclusive'
  return { outcome, share, ok, offered }
}
