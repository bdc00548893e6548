// SLO report and metrics of a real engine on a real Redis: true figures, and nobody else's. Two processes, one truth.

import { afterAll, beforeAll, expect, test } from 'vitest'
import { openStand, type Stand, until } from '../api/stand.ts'

let stand: Stand

beforeAll(async () => {
  stand = await openStand()
})
afterAll(async () => await stand.close())

type Report = {
  windows: {
    runs: Record<string, number>
    response: { samples: number; p50Ms: number; p99Ms: number }
    errorRatio: number
    atLimit: Record<string, number>
    refused: Record<string, number>
    budgetBurn: Record<string, number>
  }[]
  signals: { name: string; limit: string }[]
  usage: Record<string, number>
}

test('the report counts what happened, the same in every process', async () => {
  const tenant = await stand.tenant('slo-a', { concurrentRuns: 1, maxRunMs: 400, startsPerMinute: 24 })
  const elsewhere = await stand.another()
  await stand.admin('PATCH', '/v1/tenants/slo-a', { objectives: { responseMs: 5000, successRatio: 0.9 } })
  await tenant.call('PUT', '/v1/workflows/slow', { steps: [{ type: 'sleep', ms: 60_000 }] })
  await tenant.call('PUT', '/v1/workflows/fifty', { steps: [{ type: 'sleep', ms: 50 }] })
  await Promise.all(Array.from({ length: 20 }, () => tenant.finished('fifty', 'abc')))
  for (let i = 0; i < 4; i++) expect((await tenant.finished('slow')).status).toBe('timed-out')
  for (let i = 0; i < 3; i++) expect((await tenant.call('POST', '/v1/runs', { workflow: 'fifty' })).status).toBe(429)
  const report = (await tenant.call('GET', '/v1/slo')).json as Report & Record<string, unknown>
  const [five] = report.windows
  expect(five?.runs).toMatchObject({ done: 20, timedOut: 4, failed: 0, dead: 0, cancelled: 0 })
  expect(five?.response.samples).toBe(24)
  // Twenty at once through one slot: seven end before 400 ms, then come the four that took 400 ms alone.
  expect(five?.response.p50Ms).toBeGreaterThan(395)
  expect(five?.response.p99Ms).toBeGreaterThan(1000)
  expect(five?.errorRatio).toBeCloseTo(4 / 24)
  expect(five?.budgetBurn.success).toBeCloseTo(4 / 24 / 0.1)
  expect(five?.refused).toEqual({ rateLimited: expect.any(Number), queueFull: 0 })
  expect(five?.atLimit.concurrentRuns).toBeGreaterThan(0.2)
  expect(report.signals.map(({ name, limit }) => `${name} ${limit}`)).toContain('at-its-limit startsPerMinute')
  expect(report.usage).toMatchObject({ runs: 24, inputBytes: 20 * '"abc"'.length + 4 * 'null'.length })
  expect(report.usage.slotSeconds).toBeGreaterThan(20 * 0.049 + 4 * 0.4)
  expect(report.usage.slotSeconds).toBeLessThan(20)
  const there = (await stand.callAt(elsewhere, tenant.headers)('GET', '/v1/slo')).json as Report
  expect(there.usage).toEqual(report.usage)
})

test('metrics name no tenant to anybody but the administrator', async () => {
  const tenant = await stand.tenant('metrics-a')
  for (let i = 0; i < 5; i++) await tenant.finished('echo', i)
  const open = await stand.anybody('GET', '/metrics')
  expect(open.headers['content-type']).toContain('text/plain; version=0.0.4')
  expect(open.text).toContain('process_resident_memory_bytes ')
  expect(open.text).not.toMatch(/tenant|metrics-a/)
  const asTenant = await tenant.call('GET', '/metrics')
  expect([asTenant.status, asTenant.json?.code]).toEqual([401, 'credentials-invalid'])
  const all = await stand.admin('GET', '/metrics')
  expect(all.text).toContain('partywall_tenant_runs{tenant="metrics-a",status="done"} 5\n')
  expect(all.text).toMatch(/partywall_tenant_response_seconds\{tenant="metrics-a",quantile="0.99"\} 0\.\d+\n/)
  await stand.admin('DELETE', '/v1/tenants/metrics-a')
  await until(async () => ((await stand.admin('GET', '/metrics')).text.includes('metrics-a') ? null : true))
})
