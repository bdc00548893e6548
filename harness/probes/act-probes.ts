// Every probe of an act: one line each. Not asked, since no port that we know offers it: E05, a slow command (no tenant may
// send Redis a command of its own choice; its stream is written by the harness, which sends XADD only); E06, many tenants
// of one customer (nobody tells of a parent account); E12, a clock that is moved (the target's clock is the machine's, and
// that is not ours to move). E01 is asked by the flood as well.

import { aLostGroupLosesNoRun } from './a-lost-group-loses-no-run.ts'
import type { ActProbe } from './act-probe.ts'
import { bigPayloadsHoldUpNobody } from './big-payloads-hold-up-nobody.ts'
import { crashesLoseNoRun } from './crashes-lose-no-run.ts'
import { crowdsDoNotLengthenWaits } from './crowds-do-not-lengthen-waits.ts'
import { endedRunsFreeTheirSlot } from './ended-runs-free-their-slot.ts'
import { equalTenantsGetEqualShares } from './equal-tenants-get-equal-shares.ts'
import { exportsHoldNothingForeign } from './exports-hold-nothing-foreign.ts'
import { exportsLeaveNothingOut } from './exports-leave-nothing-out.ts'
import { lateResultsDoNotCount } from './late-results-do-not-count.ts'
import { idleTimeBanksNoCredit, newcomersDoNotStarveOthers } from './latecomers-claim-nothing.ts'
import { oversizePayloadsAreRefused } from './oversize-payloads-are-refused.ts'
import { pilesOfPendingRunsBlockNobody } from './piles-of-pending-runs-block-nobody.ts'
import { poisonHurtsItsOwnerOnly } from './poison-hurts-its-owner-only.ts'
import { removedTenantsRunNothing } from './removed-tenants-run-nothing.ts'
import { retriesAreCharged } from './retries-are-charged.ts'
import { runsEndAtTheirDeadline } from './runs-end-at-their-deadline.ts'
import { runsStayWithinCap } from './runs-stay-within-cap.ts'
import { slotsComeBackAfterACrash } from './slots-come-back-after-a-crash.ts'
import { spareCapacityIsUsed } from './spare-capacity-is-used.ts'
import { sparseTenantsDoNotWaitForBacklogs } from './sparse-tenants-do-not-wait-for-backlogs.ts'
import { startsStayWithinRate } from './starts-stay-within-rate.ts'
import { timeHogsWaitTheirTurn } from './time-hogs-wait-their-turn.ts'
import { unlabelledWorkNeverGoesFirst } from './unlabelled-work-never-goes-first.ts'
import { weightsShareInProportion } from './weights-share-in-proportion.ts'
import { whoExceedsDegrades } from './who-exceeds-degrades.ts'

export const actProbes: readonly ActProbe[] = [
  startsStayWithinRate,
  whoExceedsDegrades,
  runsStayWithinCap,
  runsEndAtTheirDeadline,
  lateResultsDoNotCount,
  endedRunsFreeTheirSlot,
  timeHogsWaitTheirTurn,
  equalTenantsGetEqualShares,
  sparseTenantsDoNotWaitForBacklogs,
  weightsShareInProportion,
  idleTimeBanksNoCredit,
  newcomersDoNotStarveOthers,
  spareCapacityIsUsed,
  removedTenantsRunNothing,
  aLostGroupLosesNoRun,
  retriesAreCharged,
  poisonHurtsItsOwnerOnly,
  crashesLoseNoRun,
  slotsComeBackAfterACrash,
  crowdsDoNotLengthenWaits,
  oversizePayloadsAreRefused,
  bigPayloadsHoldUpNobody,
  unlabelledWorkNeverGoesFirst,
  exportsLeaveNothingOut,
  exportsHoldNothingForeign,
  pilesOfPendingRunsBlockNobody,
]
