// Server-sent events on a real Redis: complete, in order, each once, and nobody else's; also over two processes.

import { EventEmitter } from 'node:events'
import { Redis } from 'ioredis'
import { pino } from 'pino'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Cursors } from '../../../engine/api/cursors.ts'
import { type EventSink, Events } from '../../../engine/api/events.ts'
import { objectivesSchema } from '../../../engine/telemetry/slo.ts'
import { limitsSchema, parseTenantId } from '../../../engine/tenant.ts'
import type { Caller } from '../../../engine/tenants.ts'
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

/** A client that takes what it is sent only when the test says so. */
class Sink extends EventEmitter implements EventSink {
  readonly sizes: number[] = []
  writableLength = 0
  destroyed = false

  write(sent: string | Uint8Array): boolean {
    const bytes = Buffer.byteLength(sent)
    this.sizes.push(bytes)
    this.writableLength += bytes
    return false
  }

  takeAll(): void {
    this.writableLength = 0
    this.emit('drain')
  }

  destroy(): void {
    this.destroyed = true
    this.emit('close')
  }
}

const callerOf = (id: string, life: string): Caller => ({
  id: parseTenantId(id),
  state: 'active',
  limits: limitsSchema.parse({}),
  objectives: objectivesSchema.parse({}),
  createdAtMs: 0,
  cursors: new Cursors(life),
  life,
})

describe('events as large as they can be', () => {
  const LARGE = 'x'.repeat(900_000)
  const add = (id: string) => stand.redis.xadd(`tenant:{${id}}:workflow:history`, '*', 'run', `"${LARGE}"`)

  async function open(id: string) {
    await stand.redis.hset(`tenant:{${id}}:ctl`, 'token', 'digest')
    const subscriber = stand.redis.duplicate()
    const events = new Events(stand.redis, subscriber, pino({ level: 'silent' }))
    const close = async () => {
      await events.stop()
      subscriber.disconnect()
      await stand.redis.del(`tenant:{${id}}:ctl`, `tenant:{${id}}:workflow:history`)
    }
    return { events, close, wake: () => stand.redis.spublish(`tenant:{${id}}:workflow:wake`, '1') }
  }

  test('are sent one at a time to a client that catches up, the next when the last was taken', async () => {
    for (let i = 0; i < 20; i++) await add('catches-up')
    const { events, close } = await open('catches-up')
    const sink = new Sink()
    const following = events.follow(callerOf('catches-up', 'digest'), sink, '0-1')
    for (let sent = 1; sent <= 20; sent++) {
      await until(async () => (sink.sizes.length === sent ? true : null))
      expect(sink.writableLength).toBeLessThan(1 << 20)
      sink.takeAll()
    }
    ;(await following)()
    expect(sink.sizes).toHaveLength(20)
    await close()
  })

  test('still come to a client that was catching up when the only other one left', async () => {
    for (let i = 0; i < 3; i++) await add('two-watch')
    const { events, close, wake } = await open('two-watch')
    const caller = callerOf('two-watch', 'digest')
    const [first, second] = [new Sink(), new Sink()]
    const leave = await events.follow(caller, first, null)
    const following = events.follow(caller, second, '0-1')
    await until(async () => (second.sizes.length === 1 ? true : null))
    leave()
    for (let sent = 1; sent <= 3; sent++) {
      await until(async () => (second.sizes.length === sent ? true : null))
      second.takeAll()
    }
    await following
    await add('two-watch')
    await wake()
    await until(async () => (second.sizes.length === 4 ? true : null))
    expect(first.sizes).toEqual([])
    await close()
  })

  test('never wait for a client in more than 4 MiB: who does not take them is let go', async () => {
    const { events, close, wake } = await open('takes-nothing')
    const sink = new Sink()
    await events.follow(callerOf('takes-nothing', 'digest'), sink, null)
    for (let i = 0; i < 12; i++) await add('takes-nothing')
    await wake()
    await until(async () => (sink.destroyed ? true : null))
    expect(sink.sizes).toHaveLength(4)
    expect(sink.writableLength).toBeLessThanOrEqual(4 << 20)
    await close()
  })
})

test('a watch that cannot be opened harms nobody: its tenant is removed, and another of the name is watched', async () => {
  // Nobody listens there.
  const gone = new Redis({ host: '127.0.0.1', port: 1, lazyConnect: true, enableOfflineQueue: false })
  gone.on('error', () => {})
  const events = new Events(stand.redis, gone, pino({ level: 'silent' }))
  const rejections: unknown[] = []
  const onRejection = (reason: unknown) => rejections.push(reason)
  process.on('unhandledRejection', onRejection)
  const follows = ['old', 'new'].map((life) => events.follow(callerOf('unopened', life), new Sink(), null))
  const dropped = events.drop(parseTenantId('unopened'))
  expect((await Promise.allSettled(follows)).map(({ status }) => status)).toEqual(['rejected', 'rejected'])
  await expect(dropped).resolves.toBe(undefined)
  // Node tells of a rejection that nobody handles when the turn of the loop is over.
  await new Promise((resolve) => setImmediate(resolve))
  process.off('unhandledRejection', onRejection)
  expect(rejections).toEqual([])
  await events.stop()
  gone.disconnect()
})
