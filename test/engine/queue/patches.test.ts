// Every seeded defect's replacements fit the functions as they are now, and what they make of them is a library that loads.

import { afterAll, beforeAll, expect, test } from 'vitest'
import { defects } from '../../../engine/defects/list.ts'
import type { Trips } from '../../../engine/defects/trips.ts'
import { FunctionLibrary } from '../../../engine/queue/library.ts'
import { type Stage, startStage } from '../stage.ts'

const none: Trips = { count() {}, flush() {} }

let stage: Stage
beforeAll(async () => {
  stage = await startStage()
})
afterAll(async () => {
  await stage.stop()
})

test.each(defects.map((defect) => [defect.name, defect] as const))('%s fits the functions', async (_, defect) => {
  const { patchLibrary } = defect.parts(none)
  await expect(new FunctionLibrary(stage.redis, patchLibrary).load()).resolves.toBeUndefined()
})
