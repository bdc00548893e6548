// The wait for the noisy backlog, on a clock of its own: what a target can answer, and what becomes of it.

import { expect, test } from 'vitest'
import { type DrainParts, drained, unreached } from '../../harness/run/drain.ts'
import type { Capability } from '../../harness/target/port.ts'
import { access, jumpingClock, never } from './fake-crew.ts'

const refused = () => Promise.reject(Object.assign(new Error('connect'), { code: 'ECONNREFUSED' }))

function drain(target: Partial<DrainParts['target']>) {
  const clock = jumpingClock()
  const whole = { capabilities: new Set<Capability>(['backlog']), backlog: async () => 0, reach: async () => {} }
  return drained({ target: { ...whole, ...target }, noisy: access('noisy'), clock, boundMs: 3000, settleMs: 200 })
}

test('a backlog that goes is seen to be drained, with the time that it took', async () => {
  let left = 10
  const backlog = async () => left--
  expect(await drain({ backlog })).toEqual({ end: 'seen', left: 10, tookMs: 200, why: '' })
})

test('a backlog that stays outlives the bound, with what was left', async () => {
  const { end, tookMs, why } = await drain({ backlog: async () => 812 })
  expect([end, why]).toEqual(['outlived', '812 left'])
  expect(tookMs).toBe(3000)
})

test('a question that is never answered is waited for up to the bound, and no longer', async () => {
  const { end, tookMs } = await drain({ backlog: never })
  expect(end).toBe('not-visible')
  expect(tookMs).toBe(3000 + 200)
})

test('an error in between is no answer: the wait goes on', async () => {
  let asked = 0
  const backlog = async () => {
    if (++asked < 5) throw new Error('GET /v1/tenants/noisy answered 503')
    return 0
  }
  expect(await drain({ backlog })).toMatchObject({ end: 'seen', tookMs: 80 })
})

test('errors to the end, from a target that answers otherwise, are a backlog that cannot be seen', async () => {
  const backlog = async () => Promise.reject(new Error('answered 503'))
  expect(await drain({ backlog })).toEqual({ end: 'not-visible', left: null, tookMs: 3200, why: 'answered 503' })
})

test('a refusal says nothing of the backlog: asked to the end, then a settling time', async () => {
  const drainedAfter = await drain({ backlog: async () => null })
  expect(drainedAfter).toEqual({ end: 'not-visible', left: null, tookMs: 3200, why: 'the target refused to be asked' })
})

test('a refusal that ends is forgotten', async () => {
  let asked = 0
  expect(await drain({ backlog: async () => (++asked < 50 ? null : 0) })).toMatchObject({ end: 'seen', tookMs: 980 })
})

test('a target that cannot say is not asked: one settling time', async () => {
  const backlog = () => Promise.reject(new Error('never to be called'))
  expect(await drain({ capabilities: new Set(), backlog })).toEqual({
    end: 'not-offered',
    left: null,
    tookMs: 200,
    why: '',
  })
})

test('a target that hangs up on everything is unreachable long before the bound', async () => {
  const { end, tookMs, why } = await drain({ backlog: refused, reach: refused })
  expect([end, why]).toEqual(['unreachable', '3 attempts failed, the last with: ECONNREFUSED'])
  expect(tookMs).toBe(400)
})

test('a target that takes connections and answers nothing is unreachable at the bound', async () => {
  const { end, why } = await drain({ backlog: never, reach: never })
  expect([end, why]).toEqual(['unreachable', '3 attempts failed, the last with: no answer within 500 ms'])
})

test('one answer of three is enough to be reached', async () => {
  let attempts = 0
  const reach = () => (++attempts < 3 ? refused() : Promise.resolve())
  expect(await unreached({ reach }, jumpingClock())).toBeNull()
  expect(attempts).toBe(3)
})
