// How fair schedulers were seen to fail, one test each: the order of turns follows from charges that the test gives, so the
// amounts are exact. Virtual time is in milliseconds; a newcomer starts 100 of them, half a quantum, before it.

import { describe, expect, test } from 'vitest'
import type { TurnEnd } from '../../../engine/queue/rounds.ts'
import { parseTenantId, type TenantId } from '../../../engine/tenant.ts'
import { sharedNode } from '../shared.ts'
import { startNode, until } from '../stage.ts'
import { countOf, Turns } from './turns.ts'

const HALF_QUANTUM_MS = 100
const TURN_MS = 40

const { node, stage } = await sharedNode()

const goesOn =
  (charge = TURN_MS) =>
  (): [TurnEnd, number] => ['more', charge]

describe('a tenant that was drained', () => {
  test('waits for what it used to be used by the other, before its next turn', async () => {
    const turns = new Turns(node, 'drained')
    const [hog, meek] = (await turns.register('hog', 'meek')) as [TenantId, TenantId]
    turns.arrive(hog, meek)
    expect(await turns.pick(1)).toEqual([hog])
    turns.rounds.end(hog, 'none', 50 * TURN_MS)
    turns.arrive(hog)
    const taken = await turns.take(60, (tenant) => ['more', tenant === hog ? 50 * TURN_MS : TURN_MS])
    // Both began at the same tag, so the other has its 50 turns first, and the one that was its own anyway.
    expect(taken.indexOf(hog)).toBeGreaterThanOrEqual(50)
    expect(taken.indexOf(hog)).toBeLessThanOrEqual(51)
  })

  test('gains nothing by draining itself after every turn', async () => {
    const turns = new Turns(node, 'drains-always')
    const [sly, meek] = (await turns.register('sly', 'meek')) as [TenantId, TenantId]
    turns.arrive(sly, meek)
    const taken: TenantId[] = []
    for (let i = 0; i < 200; i++) {
      taken.push(...(await turns.take(1, (tenant) => [tenant === sly ? 'none' : 'more', TURN_MS])))
      turns.arrive(sly)
    }
    expect(taken.length).toBe(200)
    expect(Math.abs(countOf(taken, sly) - 100)).toBeLessThanOrEqual(1)
  })
})

describe('a tenant that is blocked', () => {
  test('does not hold virtual time back: a newcomer gets half a quantum, not the time of the others', async () => {
    const turns = new Turns(node, 'blocked')
    const [blocked, busy, fresh] = (await turns.register('blocked', 'busy', 'fresh')) as [TenantId, TenantId, TenantId]
    turns.arrive(blocked, busy)
    // At its cap: it has work, and waits for one of its runs to end.
    await turns.take(1, () => ['none', TURN_MS])
    await turns.take(100, goesOn())
    expect(await turns.score('ready', blocked)).toBeNull()
    const reached = await turns.virtualTime()
    expect(reached).toBeGreaterThanOrEqual(99 * TURN_MS - HALF_QUANTUM_MS - 1)
    for (const late of [fresh, blocked]) {
      turns.arrive(late)
      const taken = await turns.take(20, goesOn())
      // Half a quantum and the turn that is its own anyway: (100 + 40) / 40 turns, then one each.
      const first = taken.findIndex((tenant) => tenant !== late)
      expect(first).toBeGreaterThanOrEqual(2)
      expect(first).toBeLessThanOrEqual(4)
    }
  })

  test('by its cap or by suspension is not among the ready ones', async () => {
    const own = await startNode(stage, { namespace: 'not-ready' })
    const turns = new Turns(own, 'not-ready')
    own.queue.onWork(() => true)
    const capped = await own.create('capped', { concurrentRuns: 1 })
    const suspended = await own.create('suspended')
    for (const tenant of [capped, suspended]) for (let i = 0; i < 3; i++) await own.queue.admit(tenant, 'w', 'null')
    await own.queue.suspend(suspended)
    const claims = []
    for (let i = 0; i < 4; i++) claims.push(...(await own.queue.next(4)).claims)
    await own.queue.settle()
    expect(claims.map(({ tenant }) => tenant)).toEqual([capped])
    expect(await turns.score('ready', capped)).toBeNull()
    expect(await turns.score('ready', suspended)).toBeNull()
    const [claim] = claims
    if (claim === undefined) throw new Error('no claim')
    // The end of its run brings it back, without a bell.
    const told = own.queue.complete(claim, { status: 'done', output: null })
    expect((await own.queue.next(4)).claims.map(({ tenant }) => tenant)).toEqual([capped])
    expect(await told).toBe(true)
    await own.stop()
  })
})

describe('a storm of future-dated work', () => {
  test('hides nothing that is due, and all of it is found when it is due', async () => {
    const turns = new Turns(node, 'storm')
    const [due = parseTenantId('due'), ...storm] = await turns.register('due', ...named('storm', 2000))
    const [s = '0'] = await node.redis.time()
    const inAnHour = (Number(s) + 3600) * 1000
    for (let at = 0; at < storm.length; at += 200) {
      turns.arrive(...storm.slice(at, at + 200))
      for (const tenant of await turns.pick(200)) turns.rounds.end(tenant, inAnHour + at, 1)
    }
    turns.arrive(due)
    const [now = '0'] = await node.redis.time()
    await turns.take(1, () => [(Number(now) + 2) * 1000, 1])
    expect(await node.redis.zcard(turns.keys.parked)).toBe(2000)
    const { left, picked, waitMs } = await turns.rounds.round(8)
    expect({ left, picked }).toEqual({ left: 0, picked: [] })
    expect(waitMs).toBeLessThanOrEqual(2000)
    await until(async () => (await turns.pick(8)).includes(due), 5000)
    expect(await node.redis.zcard(turns.keys.parked)).toBe(2000)
    // An hour later.
    await node.redis.zadd(turns.keys.parked, ...storm.flatMap((tenant) => ['1', tenant]))
    const found = new Set<TenantId>()
    for (let i = 0; i < 300; i++) for (const tenant of await turns.pick(8)) found.add(tenant)
    expect(found.size).toBe(2000)
  })

  test('within one tenant lets its fresh run start, and then leaves it parked', async () => {
    const own = await startNode(stage, { namespace: 'backoff' })
    const turns = new Turns(own, 'backoff')
    own.queue.onWork(() => true)
    const steps = [{ type: 'echo' }]
    const tenant = await own.create('backoff', {}, steps, { retry: { attempts: 2, backoffMs: 3_600_000 } })
    for (let i = 0; i < 500; i++) await own.queue.admit(tenant, 'w', 'null')
    let failed = 0
    await until(async () => {
      const { claims } = await own.queue.next(100)
      failed += claims.length
      for (const claim of claims) {
        void own.queue.complete(claim, { status: 'retry', error: 'not now', attemptsMax: 2, afterMs: 3_600_000 })
      }
      return failed === 500 || failed
    }, 10_000)
    await own.queue.settle()
    await own.queue.admit(tenant, 'w', '"fresh"')
    own.queue.touch(tenant)
    expect((await own.queue.next(1)).claims.map(({ inputText }) => inputText)).toEqual(['"fresh"'])
    expect(await own.queue.next(1)).toMatchObject({ claims: [], again: false })
    await own.queue.settle()
    expect(await turns.score('ready', tenant)).toBeNull()
    await own.stop()
  })
})

test('equal tags follow the order of arrival, whatever the names', async () => {
  const turns = new Turns(node, 'ties')
  const upward = await turns.register(...named('tie', 26))
  let asArrived = 0
  for (let i = 0; i < 50; i++) {
    const order = i % 2 === 0 ? upward.toReversed() : upward
    turns.arrive(...order)
    const picked = await turns.pick(26)
    // The hair that keeps the order is a thousandth of a millisecond at most, counted round: now and then a part of them comes
    // before those ahead, never one by its name.
    const from = picked.indexOf(order[0] ?? parseTenantId('none'))
    expect([...picked.slice(from), ...picked.slice(0, from)]).toEqual(order)
    if (from === 0) asArrived++
    for (const tenant of order) turns.rounds.end(tenant, 'none', 0)
    await turns.pick(0)
  }
  expect(asArrived).toBeGreaterThanOrEqual(40)
})

test('slots of workers that fell silent are free again after their lease, round after round', async () => {
  const leaseMs = 100
  const [dead, alive] = await Promise.all([
    startNode(stage, { namespace: 'leak', leaseMs }),
    startNode(stage, { namespace: 'leak', leaseMs }),
  ])
  for (const each of [dead, alive]) each.queue.onWork(() => true)
  const tenant = await alive.create('leaky', { concurrentRuns: 3 })
  for (let round = 0; round < 4; round++) {
    for (let i = 0; i < 3; i++) await alive.queue.admit(tenant, 'w', 'null')
    dead.queue.touch(tenant)
    await until(async () => {
      await dead.queue.next(3)
      return (await alive.queue.depth(tenant)).active === 3
    }, 3000)
    await dead.queue.settle()
    let ended = 0
    await until(async () => {
      await alive.queue.audit()
      const { claims } = await alive.queue.next(4)
      expect((await alive.queue.depth(tenant)).active).toBeLessThanOrEqual(3)
      for (const claim of claims) void alive.queue.complete(claim, { status: 'done', output: null })
      ended += claims.length
      return ended === 3 || ended
    }, 5000)
    await alive.queue.settle()
    expect(await alive.queue.depth(tenant)).toEqual({ queued: 0, active: 0 })
  }
  await Promise.all([dead.stop(), alive.stop()])
})

describe('one owner with several tenants', () => {
  test('has as many shares, since a share is a tenant’s', async () => {
    const turns = new Turns(node, 'posing')
    const tenants = await turns.register('single', 'owner-1', 'owner-2', 'owner-3', 'owner-4')
    turns.arrive(...tenants)
    const taken = await turns.take(200, goesOn())
    for (const tenant of tenants) expect(Math.abs(countOf(taken, tenant) - 40)).toBeLessThanOrEqual(1)
  })

  test('cannot start in one tenant what counts in another: names in entries move nothing', async () => {
    const own = await startNode(stage, { namespace: 'names' })
    own.queue.onWork(() => true)
    const [one, other] = await Promise.all(['one', 'one-1'].map((id) => own.create(id, { startsPerMinute: 3 })))
    if (one === undefined || other === undefined) throw new Error('no tenants')
    const names = [one, one, other, other, other, one, one, one]
    for (const name of names) {
      await stage.redis.xadd(own.queue.streamOf(one), '*', 'tenant', name, 'workflow', 'w', 'input', '1')
    }
    own.queue.touch(one)
    const claims = []
    for (let i = 0; i < 12; i++) claims.push(...(await own.queue.next(8)).claims)
    expect(claims.map(({ tenant }) => tenant)).toEqual([one, one, one])
    const reasons = (await own.queue.deadLetters(one, null, 10)).map(({ reason }) => reason)
    expect(reasons.sort()).toEqual([...Array(2).fill('rate-limited'), ...Array(3).fill('tenant-mismatch')])
    expect(await own.queue.deadLetters(other, null, 10)).toEqual([])
    for (let i = 0; i < 3; i++) expect((await own.queue.admit(other, 'w', '1')).state).toBe('admitted')
    expect(await own.queue.admit(other, 'w', '1')).toMatchObject({ state: 'refused', code: 'rate-limited' })
    await own.stop()
  })
})

describe('a settle', () => {
  test('goes on from the tag of the pick, however far the others have come', async () => {
    const turns = new Turns(node, 'settle')
    const [slow, quick] = (await turns.register('slow', 'quick')) as [TenantId, TenantId]
    turns.arrive(slow, quick)
    expect(await turns.pick(1)).toEqual([slow])
    // Its turn lasts while the other has 26.
    expect(countOf(await turns.take(26, goesOn()), quick)).toBe(26)
    turns.rounds.end(slow, 'more', TURN_MS)
    const taken = await turns.take(60, goesOn())
    // It is 25 turns behind: those come first.
    const first = taken.indexOf(quick)
    expect(first).toBeGreaterThanOrEqual(24)
    expect(first).toBeLessThanOrEqual(26)
  })

  test('that corrects a charge moves the tag by just that, in the turn and after it', async () => {
    const turns = new Turns(node, 'corrected')
    const [tenant = parseTenantId('corrected')] = await turns.register('corrected')
    turns.arrive(tenant)
    await turns.take(1, goesOn(1000))
    const [tag] = (await turns.rounds.round(1)).picked.map((picked) => picked.tag)
    if (tag === undefined) throw new Error('no turn')
    turns.rounds.correct(tenant, 300, tag)
    await turns.pick(0)
    expect(await turns.tag(tenant)).toBeCloseTo(tag + 300, 2)
    turns.rounds.end(tenant, 'more', 50)
    turns.rounds.correct(tenant, -100, tag)
    await turns.pick(0)
    expect(await turns.tag(tenant)).toBeCloseTo(tag + 250, 2)
  })
})

function named(prefix: string, count: number): string[] {
  return Array.from({ length: count }, (_, at) => `${prefix}-${String(at).padStart(4, '0')}`)
}
