// Every probe of an act: one line each.

import { aLostGroupLosesNoRun } from './a-lost-group-loses-no-run.ts'
import type { ActProbe } from './act-probe.ts'
import { crashesLoseNoRun } from './crashes-lose-no-run.ts'
import { endedRunsFreeTheirSlot } from './ended-runs-free-their-slot.ts'
import { equalTenantsGetEqualShares } from './equal-tenants-get-equal-shares.ts'
import { lateResultsDoNotCount } from './late-results-do-not-count.ts'
import { idleTimeBanksNoCredit, newcomersDoNotStarveOthers } from './latecomers-claim-nothing.ts'
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
]
