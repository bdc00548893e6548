// Server-sent events on a real Redis: complete, in order, each once, and nobody else's; also over two processes.

import { afterAll, beforeAll, expect, test } from 'vitest'
import { openStand, type Stand, until, watch } from './stand.ts'

let stand: Stand

beforeAll(async () => {
  stand = await openStand()
})
afterAll(async () => await stand.close())

test('a watcher hears every run of its tenant once, and none of another', async () => {
  const [a, b] = [await stand.tenant('hear-a'), await stand.tenant('hear-b')]
  const elsewhere = await stand.another()
  const watchers = [
    watch(stand.origin, a.headers),
    watch(elsewhere, a.headers),
    watch(stand.origin, b.headers),
  ] as const
  await Promise.all(watchers.map(({ opened }) => opened))
  const ids: unknown[] = []
  for (let i = 0; i < 20; i++) {
    ids.push((await a.call('POST', '/v1/runs', { workflow: 'echo', input: i })).json?.id)
    if (i % 2 === 0) await b.call('POST', '/v1/runs', { workflow: 'echo', input: i })
  }
  await until(async () => (watchers.map(({ events }) => events.length).join() === '20,20,10' ? true : null))
  for (const { events } of watchers.slice(0, 2)) expect(events.map(({ data }) => data.id).sort()).toEqual(ids.sort())
  expect(watchers[2].events.every(({ data }) => String(data.id).startsWith('run_hear-b_'))).toBe(true)
  await Promise.all(watchers.map(({ leave }) => leave()))
})

test('a watcher that comes back with the last id gets what it missed, and only that', async () => {
  const tenant = await stand.tenant('comes-back')
  const first = watch(stand.origin, tenant.headers)
  await first.opened
  await tenant.finished('echo', 0)
  await until(async () => (first.events.length === 1 ? true : null))
  await first.leave()
  const missed: unknown[] = []
  for (let i = 0; i < 250; i++) missed.push((await tenant.call('POST', '/v1/runs', { workflow: 'echo' })).json?.id)
  const again = watch(stand.origin, { ...tenant.headers, 'last-event-id': first.events[0]?.id ?? '' })
  await until(async () => (again.events.length >= 250 ? true : null))
  expect(again.events.map(({ data }) => data.id).sort()).toEqual(missed.sort())
  await again.leave()
})

test('an event id of another tenant, and one without its mark, are refused', async () => {
  const [a, b] = [await stand.tenant('mark-a'), await stand.tenant('mark-b')]
  const watcher = watch(stand.origin, a.headers)
  await watcher.opened
  await a.finished('echo')
  const id = await until(async () => watcher.events[0]?.id ?? null)
  for (const [who, what] of [
    [b, id],
    [a, id.split('.')[0] ?? ''],
    [a, '0-0'],
    [a, '$'],
  ] as const) {
    const answer = await who.call('GET', '/v1/events', undefined, { 'last-event-id': what })
    expect([answer.status, answer.json?.code]).toEqual([400, 'cursor-invalid'])
  }
  await watcher.leave()
})

test('the 33rd watcher of a tenant is refused, and a place that was left is free again', async () => {
  const tenant = await stand.tenant('crowded')
  const watchers = Array.from({ length: 32 }, () => watch(stand.origin, tenant.headers))
  await Promise.all(watchers.map(({ opened }) => opened))
  const refused = await tenant.call('GET', '/v1/events')
  expect([refused.status, refused.json?.code, refused.headers['retry-after']]).toEqual([429, 'watchers-full', '1'])
  await watchers.pop()?.leave()
  const next = await until(async () => {
    const watcher = watch(stand.origin, tenant.headers)
    await watcher.opened
    return watcher.status() === 200 ? watcher : null
  })
  await Promise.all([next, ...watchers].map(({ leave }) => leave()))
})

test('who watched a removed tenant hears nothing of the next one of that name, whatever process it asked', async () => {
  const old = await stand.tenant('again')
  const watchers = [watch(stand.origin, old.headers), watch(await stand.another(), old.headers)]
  await Promise.all(watchers.map(({ opened }) => opened))
  await stand.admin('DELETE', '/v1/tenants/again')
  const fresh = await stand.tenant('again')
  await fresh.finished('echo', 'fresh')
  await until(async () => (watchers.every(({ ended }) => ended()) ? true : null))
  expect(watchers.map(({ events }) => events)).toEqual([[], []])
})
