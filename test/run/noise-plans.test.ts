// Which noise makers a scenario has on a target, and what they send: nothing that the target cannot take is left out in
// silence.

import { expect, test } from 'vitest'
import { makersOf } from '../../harness/run/noise-plans.ts'
import { plans } from '../../harness/run/stand.ts'
import { loadScenario } from '../../harness/scenario/load.ts'
import type { NoiseScenario } from '../../harness/scenario/noise-schema.ts'
import type { Call, TenantAccess } from '../../harness/target/port.ts'

const call = (workflow: string, input = '"{{canary}}"'): Call => {
  return { method: 'POST', path: '/v1/runs', headers: {}, body: `{"workflow":"${workflow}","input":${input}}` }
}
const bare: TenantAccess = {
  label: 'noisy',
  id: 'noisy',
  origin: 'http://127.0.0.1:1',
  stepMs: 1,
  start: call('work'),
  completion: { by: 'response' },
}
const whole: TenantAccess = {
  ...bare,
  starts: { slow: call('slow') },
  stream: { redisUrl: 'redis://127.0.0.1:2', key: 'k', fields: { input: '{{canary}}' } },
}
const all: NoiseScenario = {
  api: { requestsPerSecond: 100, connections: 10 },
  stream: { entriesPerSecond: 200 },
  slow: { requestsPerSecond: 5, connections: 2, runMs: 100 },
  payload: { requestsPerSecond: 20, connections: 4, allowedBytes: 1000, aboveShare: 0.1 },
  retry: { requestsPerSecond: 30, connections: 3, retries: 4 },
}
const bodyOf = (call: Call) => JSON.parse(call.body ?? '')

test('each maker has its rate, its connections and its call, with the canary filled in', () => {
  const { plans: made, notApplicable } = makersOf(all, whole, 'CANARY')
  expect(notApplicable).toEqual([])
  const rates = made.map(({ maker, perSecond }) => [maker, perSecond])
  expect(rates).toEqual([
    ['api', 100],
    ['stream', 200],
    ['slow', 5],
    ['payload', 20],
    ['retry', 30],
  ])
  for (const plan of made) {
    if (plan.kind === 'stream') {
      expect(plan.target.fields).toEqual({ input: 'CANARY' })
      continue
    }
    const { workflow, input } = bodyOf(plan.target.call)
    expect(workflow).toBe(plan.maker === 'slow' ? 'slow' : 'work')
    expect(input.startsWith('CANARY')).toBe(true)
    expect(plan.retries).toBe(plan.maker === 'retry' ? 4 : 0)
  }
})

test('a payload hog fills its body up to near the allowed size, and some of them above it', () => {
  const [plan] = makersOf({ payload: all.payload }, whole, 'CANARY').plans
  if (plan?.kind !== 'api') throw new Error('a payload hog goes over the API')
  expect(plan.target.call.body).toHaveLength(950)
  expect(plan.other?.body).toHaveLength(1250)
  expect(plan.other?.share).toBe(0.1)
  for (const body of [plan.target.call.body, plan.other?.body]) {
    expect(JSON.parse(body ?? '').input).toMatch(/^CANARY\.+$/)
  }
})

test('what the target has no way for is named with its reason', () => {
  const { plans: made, notApplicable } = makersOf(all, { ...bare, start: call('work', '1') }, 'CANARY')
  expect(made.map(({ maker }) => maker)).toEqual(['api', 'retry'])
  expect(notApplicable).toEqual([
    { what: 'stream flood', why: 'the target offers no direct stream access' },
    { what: 'slow-run hog', why: 'the target offers no start of a slow workflow' },
    { what: 'payload hog', why: 'a start of the target has no canary that could be padded' },
  ])
})

test('what the scenario does not ask for is neither made nor missing', () => {
  const { plans: made, notApplicable } = makersOf({ api: all.api, stream: { entriesPerSecond: 0 } }, bare, 'CANARY')
  expect(made.map(({ maker }) => maker)).toEqual(['api'])
  expect(notApplicable).toEqual([])
})

test('the noisy tenant has a slow workflow where the scenario has a slow-run hog, and nobody else has', () => {
  const workflows = (name: string) => {
    const scenario = loadScenario(name)
    if (scenario.kind === 'acts') throw new Error('a flood is wanted')
    const { noisy, quiet } = plans(scenario, '')
    return [noisy, ...quiet].map((plan) => plan.workflows)
  }
  const [noisy, ...quiet] = workflows('hogs')
  expect(noisy).toEqual([{ name: 'slow', does: 'sleep', ms: 100 }])
  expect([...quiet, ...workflows('noisy-neighbour')].every((planned) => planned === undefined)).toBe(true)
})
