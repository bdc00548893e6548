// What is remembered of tenants that are not in their turn: at most 20,000 tags, whatever the rhythm of the rounds.

import { describe, expect, test } from 'vitest'
import { parseTenantId } from '../../../engine/tenant.ts'
import { sharedNode } from '../shared.ts'
import { Turns } from './turns.ts'

const IDLE_MAX = 20_000

const { node } = await sharedNode()

describe('remembered tags', () => {
  const preload = async (turns: Turns, count: number) => {
    for (let at = 1; at <= count; at += 1000) {
      const pairs = Array.from({ length: 1000 }, (_, i) => [String(at + i), `idle-${at + i}`]).flat()
      await node.redis.zadd(turns.keys.idle, ...pairs)
    }
  }

  test.each([1, 2, 8])('are at most 20,000, the highest, when %i tenants enter a round', async (entering) => {
    const turns = new Turns(node, `idle-${entering}`)
    const [odd = parseTenantId('odd'), ...busy] = await turns.register(
      'odd',
      ...Array.from({ length: entering }, (_, at) => `busy-${at}`),
    )
    turns.arrive(odd)
    await turns.take(1, () => ['none', 0])
    await preload(turns, IDLE_MAX + 5000)
    turns.arrive(...busy)
    for (let i = 0; i < 200; i++) for (const tenant of await turns.pick(entering)) turns.rounds.end(tenant, 'more', 0)
    expect(await node.redis.zcard(turns.keys.idle)).toBeLessThanOrEqual(IDLE_MAX)
    expect(await node.redis.zcard(turns.keys.idle)).toBeGreaterThanOrEqual(IDLE_MAX - 1)
    expect((await node.redis.zrange(turns.keys.idle, '0', '0'))[0]).toMatch(/^idle-500[01]$/)
  })

  test('that say no more than virtual time does are forgotten', async () => {
    const turns = new Turns(node, 'stale')
    const [busy = parseTenantId('busy')] = await turns.register('busy')
    await preload(turns, 1000)
    turns.arrive(busy)
    await turns.take(50, () => ['more', 40])
    expect(await node.redis.zcard(turns.keys.idle)).toBe(0)
  })
})
