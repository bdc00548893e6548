// Every act: one line each.

import { alone } from './alone.ts'
import { cap } from './cap.ts'
import { crash } from './crash.ts'
import { crowd } from './crowd.ts'
import { deadline } from './deadline.ts'
import { exportAct } from './export.ts'
import { hogs } from './hogs.ts'
import { idler, newcomer } from './latecomers.ts'
import { lostGroup } from './lost-group.ts'
import { payload } from './payload.ts'
import { pending } from './pending.ts'
import { poison } from './poison.ts'
import { rate } from './rate.ts'
import { removal } from './removal.ts'
import type { Act } from './stage.ts'
import { unlabelled } from './unlabelled.ts'
import { weights } from './weights.ts'

export const acts: readonly Act[] = [
  rate,
  cap,
  deadline,
  hogs,
  weights,
  idler,
  newcomer,
  alone,
  removal,
  lostGroup,
  poison,
  crash,
  crowd,
  payload,
  unlabelled,
  exportAct,
  pending,
]
