import { afterAll, beforeAll, expect, test } from 'vitest'
import { costOf, sentDuring, total } from '../bench/redis-cost.ts'
import { type Stage, startStage } from './stage.ts'

let stage: Stage
beforeAll(async () => {
  stage = await startStage()
})
afterAll(() => stage.stop())

const TEN = "for i = 1, 10 do redis.call('RPUSH', KEYS[1], i) end return redis.call('LLEN', KEYS[1])"

test('what a script calls is not counted among what clients sent', async () => {
  const sent = await sentDuring(async () => {
    for (let i = 0; i < 3; i++) await stage.redis.eval(TEN, 1, 'list')
    await stage.redis.pipeline().rpush('list', 'x').llen('list').exec()
  })
  expect(Object.fromEntries(sent)).toEqual({ eval: 3, rpush: 1, llen: 1 })
  expect(total(sent)).toBe(5)
})

test('nothing is counted once the work is over, and its cost is what Redis says', async () => {
  const sent = await sentDuring(async () => {})
  await stage.redis.ping()
  expect(total(sent)).toBe(0)
  const busy = "local n = 0 for i = 1, 3e6 do n = n + i end return '' .. n"
  const cost = await costOf(stage.redis, () => stage.redis.eval(busy, 0))
  const nothing = await costOf(stage.redis, async () => {})
  expect(cost.cpuUs).toBeGreaterThan(5 * nothing.cpuUs)
})
