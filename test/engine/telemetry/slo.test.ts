// The SLO monitor's arithmetic, on minutes with known truth.

import { describe, expect, test } from 'vitest'
import { bucketMs, type Counts, type Meter, nothingCounted } from '../../../engine/queue/meter.ts'
import { parseMeter } from '../../../engine/queue/meter-reply.ts'
import { seriesOf } from '../../../engine/telemetry/metrics.ts'
import { textOf } from '../../../engine/telemetry/prometheus.ts'
import { objectivesSchema, quantileMs, sloOf, windowOf, withOpenStretches } from '../../../engine/telemetry/slo.ts'

const MINUTE = 60_000
const START = 1_000_000 * MINUTE
const objectives = objectivesSchema.parse({})
const bucketOf = (ms: number) => Math.floor(8 * Math.log2(ms + 1))

function minute(at: number, counts: Partial<Counts>, responsesMs: number[] = []) {
  const responses = new Map<number, number>()
  for (const ms of responsesMs) responses.set(bucketOf(ms), (responses.get(bucketOf(ms)) ?? 0) + 1)
  return { minute: START / MINUTE + at, counts: { ...nothingCounted(), ...counts }, responses }
}
const meter = (nowMs: number, minutes: Meter['minutes']): Meter => ({ totals: nothingCounted(), minutes, nowMs })
const report = (nowMs: number, minutes: Meter['minutes'], createdAtMs = 0) =>
  sloOf({ id: 'a', createdAtMs, objectives }, meter(nowMs, minutes)).windows

describe('percentiles', () => {
  test('are at most 9.1 % and 1 ms above the true ones, and never below', () => {
    for (const scale of [1, 10, 1000, 60_000]) {
      const values = Array.from({ length: 1000 }, (_, i) => (i / 1000) ** 2 * scale)
      const { responses } = minute(0, {}, values)
      for (const [q, at] of [
        [0.5, 499],
        [0.99, 989],
        [0.999, 998],
      ] as const) {
        const truth = values[at] ?? 0
        const found = quantileMs(responses, q) ?? 0
        expect(found).toBeGreaterThanOrEqual(truth - 0.05)
        expect(found).toBeLessThanOrEqual(truth * 1.091 + 1.05)
      }
    }
  })

  test('of nothing are nothing; of one run are that run', () => {
    expect(quantileMs(new Map(), 0.99)).toBe(null)
    expect(quantileMs(new Map([[40, 1]]), 0.5)).toBe(Math.round(bucketMs(40) * 10) / 10)
  })
})

test('a window holds its minutes and no other, and counts what has passed of it', () => {
  const minutes = Array.from({ length: 60 }, (_, at) => minute(at, { done: 1 }))
  const [five, hour] = report(START + 59 * MINUTE + 30_000, minutes)
  expect([five?.runs.done, five?.seconds, hour?.runs.done, hour?.seconds]).toEqual([5, 270, 60, 59 * 60 + 30])
  expect(five?.runs.perSecond).toBeCloseTo(5 / 270)
  const [young] = report(START + 59 * MINUTE + 30_000, minutes, START + 59 * MINUTE)
  expect(young?.seconds).toBe(30)
})

test('the error ratio leaves out what the tenant cancelled; burn is failures by failures permitted', () => {
  const counts = { done: 95, failed: 2, timedOut: 2, dead: 1, cancelled: 50 }
  const late = [...Array(97).fill(10), 5000, 5000]
  const [five] = report(START + 1000, [minute(0, counts, late)])
  expect(five?.errorRatio).toBeCloseTo(0.05)
  expect(five?.budgetBurn.success).toBeCloseTo(5)
  expect(five?.budgetBurn.inTime).toBeCloseTo(2 / 99 / 0.01)
  expect(five?.response.samples).toBe(99)
  const [empty] = report(START + 1000, [])
  expect([empty?.errorRatio, empty?.budgetBurn]).toEqual([null, { inTime: null, success: null }])
})

describe('at its limit', () => {
  const signals = (counts: Partial<Counts>, seconds: number) =>
    sloOf({ id: 'a', createdAtMs: START, objectives }, meter(START + seconds * 1000, [minute(0, counts)])).signals

  test('is signalled from half of the window on, by the name of the limit', () => {
    expect(signals({ atCapMs: 24_900 }, 50)).toEqual([])
    expect(signals({ atCapMs: 25_000 }, 50)).toEqual([
      { name: 'at-its-limit', limit: 'concurrentRuns', share: 0.5, minutes: 5 },
    ])
    expect(signals({ atRateMs: 90_000, atQueueMs: 40_000 }, 50).map(({ limit, share }) => [limit, share])).toEqual([
      ['startsPerMinute', 1],
      ['maxQueued', 0.8],
    ])
  })

  test('counts a stretch that has not ended, in each minute what was in it', () => {
    const now = START + 100_000
    const open = withOpenStretches(meter(now, [minute(1, { atCapMs: 5, done: 3 })]), now - 9000, now - 90_000)
    expect(open.minutes).toMatchObject([
      { minute: START / MINUTE, counts: { atCapMs: 0, atQueueMs: 50_000, done: 0 } },
      { minute: START / MINUTE + 1, counts: { atCapMs: 9005, atQueueMs: 40_000, done: 3 } },
    ])
    expect(withOpenStretches(meter(now, []), 0, 0).minutes).toEqual([])
  })

  test('is told of no stretch that ended before the window, however long it was', () => {
    // Twenty minutes at the cap, up to 30 s into minute 20; what of it lay before that minute is counted apart.
    const texts = ['minute', 20, 'atCapMs', 30_000, 'atCapBeforeMs', 19.5 * MINUTE]
    const running = texts.map((text) => (text === 20 ? START / MINUTE + 20 : text))
    const shares = (at: number) => {
      const read = parseMeter([START + at * MINUTE, [], [], running])
      expect(read.totals.atCapMs).toBe(20 * MINUTE)
      const { windows } = sloOf({ id: 'a', createdAtMs: 0, objectives }, read)
      return windows.map(({ atLimit, seconds }) => Math.round(atLimit.concurrentRuns * seconds))
    }
    // Seconds at the cap in the short window and in the long one.
    expect(shares(20.5)).toEqual([4.5 * 60, 20 * 60])
    expect(shares(22)).toEqual([2.5 * 60, 20 * 60])
    expect(shares(24.99)).toEqual([30, 20 * 60])
    expect(shares(25)).toEqual([0, 20 * 60])
    expect(shares(70)).toEqual([0, 9.5 * 60])
  })
})

describe('the Prometheus text', () => {
  const seen = (slotMs: number, responsesMs: number[] = [10]) => ({
    sums: minute(0, { slotMs, done: responsesMs.length }, responsesMs),
    seconds: 100,
    objectives,
    depth: { queued: 1, active: 2 },
  })

  test('gives the busiest 100 tenants series of their own and all others one, whose sums are exact', () => {
    const observed = new Map(Array.from({ length: 1500 }, (_, i) => [`t${i}`, seen(i * 100)]))
    const text = textOf(seriesOf(observed, 1500))
    const labels = new Set(text.match(/(?<=tenant=")[^"]+/g))
    expect(labels.size).toBe(101)
    expect(labels.has('t1400') && labels.has('other') && !labels.has('t1399')).toBe(true)
    expect(text).toContain('partywall_tenant_runs{tenant="other",status="done"} 1400')
    expect(text).toContain('partywall_tenant_queued{tenant="other"} 1400')
    expect(text).toContain('partywall_tenants 1500')
    expect(text.split('\n').length).toBeLessThan(2200)
    expect(text).not.toMatch(/error_ratio{tenant="other"/)
  })

  test('names each metric once and escapes what must be escaped', () => {
    const text = textOf(seriesOf(new Map([['a', seen(1)]]), 1))
    const types = text.match(/(?<=# TYPE )\S+/g) ?? []
    expect(new Set(types).size).toBe(types.length)
    expect(textOf([{ name: 'x', help: 'y', type: 'gauge', samples: [{ labels: { l: 'a"b\\c\nd' }, value: 1 }] }])).toBe(
      '# HELP x y\n# TYPE x gauge\nx{l="a\\"b\\\\c\\nd"} 1\n',
    )
    expect(windowOf(null, 5, 0, objectives).runs.perSecond).toBe(0)
  })
})
