// The limits of a tenant, at every instant, as the witness saw them: caps, the exact window, the hard deadline.

import { setTimeout as sleep } from 'node:timers/promises'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { tenantKey } from '../../../engine/queue/keys.ts'
import type { StepRunner } from '../../../engine/steps/steps.ts'
import type { TenantId } from '../../../engine/tenant.ts'
import { type Node, type Stage, startNode, startStage, until } from '../stage.ts'
import { quantile, Witness } from '../witness.ts'

const WINDOW_MS = 800

let stage: Stage
const nodes: Node[] = []
const witness = new Witness()
/** A step that hears no signal and never ends by itself. */
const deaf: StepRunner = async (step, context) => {
  if (step.type === 'sleep' && step.ms === 13) await sleep(100_000, undefined, { ref: false })
  else if (step.type === 'sleep') await sleep(step.ms, undefined, { signal: context.signal })
  return null
}

beforeAll(async () => {
  stage = await startStage()
  for (let i = 0; i < 2; i++) {
    const node = await startNode(stage, { windowMs: WINDOW_MS })
    node.work({ slots: 12, witness, runStep: deaf })
    nodes.push(node)
  }
})
afterAll(async () => {
  await Promise.all(nodes.map((node) => node.stop()))
  await stage.stop()
})

const node = (at = 0): Node => nodes[at] as Node
const statuses = async (tenant: TenantId) => {
  const heads = await stage.redis.hvals(tenantKey.runs(tenant))
  return heads.map((head) => (JSON.parse(head) as { status: string }).status)
}
const ended = async (tenant: TenantId, count: number) => {
  const { totals } = await node().queue.meter(tenant)
  const sum = totals.done + totals.failed + totals.timedOut + totals.cancelled + totals.dead
  return sum === count || totals
}

test('any schedule of starts and changes of the cap keeps active runs at or below the cap in force', async () => {
  let count = 0
  const command = fc.record({
    at: fc.nat(1),
    waitMs: fc.integer({ min: 0, max: 12 }),
    cap: fc.integer({ min: 1, max: 6 }),
  })
  await fc.assert(
    fc.asyncProperty(
      fc.array(command, { minLength: 15, maxLength: 40 }),
      fc.integer({ min: 1, max: 25 }),
      async (commands, ms) => {
        const tenant = await node().create(`cap-${++count}`, { concurrentRuns: 3 }, [
          { type: 'sleep', ms: ms === 13 ? 14 : ms },
        ])
        let highest = 3
        for (const { at, waitMs, cap } of commands) {
          await node(at).queue.admit(tenant, 'w', 'null')
          if (waitMs > 10) {
            highest = Math.max(highest, cap)
            await node(at).relimit(tenant, { concurrentRuns: cap })
          }
          if (waitMs > 5) await sleep(waitMs)
        }
        await until(async () => await ended(tenant, commands.length), 10_000)
        expect(witness.peak(tenant)).toBeLessThanOrEqual(highest)
        expect(witness.of(tenant).length).toBe(commands.length)
        expect((await statuses(tenant)).filter((status) => status === 'done').length).toBe(commands.length)
      },
    ),
    { numRuns: 8, verbose: 1 },
  )
}, 60_000)

test('a lowered cap holds for the next claim', async () => {
  const tenant = await node().create('lowered', { concurrentRuns: 6 }, [{ type: 'sleep', ms: 60 }])
  for (let i = 0; i < 6; i++) await node().queue.admit(tenant, 'w', 'null')
  await until(() => witness.of(tenant).length === 6, 3000)
  await node().relimit(tenant, { concurrentRuns: 2 })
  const loweredNs = process.hrtime.bigint()
  for (let i = 0; i < 10; i++) await node(i % 2).queue.admit(tenant, 'w', 'null')
  await until(async () => await ended(tenant, 16), 5000)
  const later = new Witness()
  later.sightings.push(...witness.of(tenant).filter(({ startedNs }) => startedNs > loweredNs))
  expect(later.sightings.length).toBe(10)
  expect(later.peak(tenant)).toBe(2)
})

describe('the window', () => {
  test('lets at most N start in any stretch of its length, and says exactly when the next may', async () => {
    const limit = 7
    const tenant = await node().create('window', { startsPerMinute: limit })
    const starts: number[] = []
    const early: boolean[] = []
    const end = performance.now() + 3.2 * WINDOW_MS
    while (performance.now() < end) {
      const admission = await node(starts.length % 2).queue.admit(tenant, 'w', 'null')
      if (admission.state === 'admitted') starts.push(Number(admission.entryId.split('-')[0]))
      else if (admission.state === 'refused') {
        expect(admission.retryAfterMs).toBeGreaterThan(0)
        // Half-way there it is refused still, with what is left; at the time itself it is let in.
        await sleep(admission.retryAfterMs / 2)
        const [s, us] = await stage.redis.time()
        const now = Number(s) * 1000 + Math.floor(Number(us) / 1000)
        const oldest = starts.at(-limit) ?? 0
        const again = await node().queue.admit(tenant, 'w', 'null')
        if (again.state === 'admitted') starts.push(Number(again.entryId.split('-')[0]))
        if (again.state === 'refused') {
          early.push(true)
          expect(Math.abs(oldest + WINDOW_MS + 1 - (now + again.retryAfterMs))).toBeLessThanOrEqual(5)
          await sleep(again.retryAfterMs + 1)
          const last = await node().queue.admit(tenant, 'w', 'null')
          expect(last.state).toBe('admitted')
          if (last.state === 'admitted') starts.push(Number(last.entryId.split('-')[0]))
        }
      }
    }
    expect(early.length).toBeGreaterThan(2)
    // On Redis' clock, cut to milliseconds: a start and the N-th after it lie more than the window apart.
    for (let i = limit; i < starts.length; i++)
      expect((starts[i] ?? 0) - (starts[i - limit] ?? 0)).toBeGreaterThan(WINDOW_MS)
    expect(starts.length).toBeGreaterThan(3 * limit)
  })

  test('is not fooled by a worker whose clock is an hour off', async () => {
    const tenant = await node().create('skew', { startsPerMinute: 3 })
    const real = Date.now
    Date.now = () => real() + 3_600_000
    try {
      const states: string[] = []
      for (let i = 0; i < 6; i++) states.push((await node().queue.admit(tenant, 'w', 'null')).state)
      expect(states).toEqual(['admitted', 'admitted', 'admitted', 'refused', 'refused', 'refused'])
      await until(async () => await ended(tenant, 3), 3000)
      expect(await statuses(tenant)).toEqual(['done', 'done', 'done'])
    } finally {
      Date.now = real
    }
  })

  test('counts what is written straight into the stream, and refuses it into the dead letters', async () => {
    const tenant = await node().create('direct', { startsPerMinute: 5, concurrentRuns: 2 }, [{ type: 'sleep', ms: 5 }])
    for (let i = 0; i < 12; i++) await stage.redis.xadd(tenantKey.events(tenant), '*', 'workflow', 'w', 'input', '1')
    const counted = async () => {
      const { totals } = await node().queue.meter(tenant)
      return { done: totals.done, refusedRate: totals.refusedRate, dead: totals.dead }
    }
    await until(async () => {
      const { done, refusedRate } = await counted()
      return done + refusedRate === 12 || { done, refusedRate }
    }, 5000)
    // What its own limit refused was never a run, so none of them is dead.
    expect(await counted()).toEqual({ done: 5, refusedRate: 7, dead: 0 })
    const letters = await node().queue.deadLetters(tenant, null, 100)
    expect(letters.map(({ reason }) => reason)).toEqual(Array(7).fill('rate-limited'))
    expect(witness.peak(tenant)).toBeLessThanOrEqual(2)
  })
})

describe('the maximum run time', () => {
  const timeOut = async (name: string, step: unknown, maxRunMs: number) => {
    const tenant = await node().create(name, { maxRunMs, concurrentRuns: 1 }, [step])
    await node().queue.admit(tenant, 'w', 'null')
    await node().queue.admit(tenant, 'w', 'null')
    await until(async () => await ended(tenant, 2), 8000)
    expect(await statuses(tenant)).toEqual(['timed-out', 'timed-out'])
    const [first, second] = witness.of(tenant)
    const tookMs = Number((first?.endedNs ?? 0n) - (first?.startedNs ?? 0n)) / 1e6
    expect(tookMs).toBeGreaterThanOrEqual(maxRunMs - 2)
    expect(tookMs).toBeLessThan(maxRunMs + 500)
    // The slot and the cap are free at the deadline: the next run of a cap of one begins.
    expect(Number((second?.startedNs ?? 0n) - (first?.endedNs ?? 0n)) / 1e6).toBeLessThan(500)
  }

  test('ends a step that waits for ever', () => timeOut('hung', { type: 'sleep', ms: 60_000 }, 150))
  test('ends a step that ignores its signal', () => timeOut('deaf', { type: 'sleep', ms: 13 }, 150))

  test('ends a step that burns CPU, while other timers stay on time', async () => {
    const busy = await startNode(stage, { namespace: 'compute' })
    const seen = new Witness()
    busy.work({ slots: 4, witness: seen })
    const burner = await busy.create('burner', { maxRunMs: 400 }, [{ type: 'compute', ms: 60_000 }])
    const quiet = await busy.create('quiet', {}, [{ type: 'sleep', ms: 10 }])
    await busy.queue.admit(burner, 'w', 'null')
    await until(() => seen.of(burner).length === 1, 3000)
    for (let i = 0; i < 20; i++) {
      await busy.queue.admit(quiet, 'w', 'null')
      await until(async () => (await busy.queue.meter(quiet)).totals.done === i + 1, 3000)
    }
    await until(async () => (await busy.queue.meter(burner)).totals.timedOut === 1, 3000)
    const tookMs = seen.of(quiet).map(({ startedNs, endedNs }) => Number((endedNs ?? 0n) - startedNs) / 1e6)
    expect(quantile(tookMs, 0.5)).toBeLessThan(30)
    const done = await busy.create('computes', {}, [{ type: 'compute', ms: 20 }])
    await busy.queue.admit(done, 'w', 'null')
    await until(async () => (await busy.queue.meter(done)).totals.done === 1, 3000)
    await busy.stop()
  })

  test('ignores what is written after it', async () => {
    const tenant = await node().create('late', { maxRunMs: 100 }, [{ type: 'sleep', ms: 1 }])
    const idle = await startNode(stage, { namespace: 'late' })
    await idle.queue.register(tenant)
    const admission = await idle.queue.admit(tenant, 'w', 'null')
    idle.queue.touch(tenant)
    idle.queue.onWork(() => true)
    idle.queue.touch(tenant)
    await until(() => admission.state === 'admitted', 1000)
    const { claims } = await idle.queue.next(1)
    const [claim] = claims
    if (claim) {
      await sleep(150)
      expect(await idle.queue.complete(claim, { status: 'done', output: 'late' })).toBe(true)
      expect(await statuses(tenant)).toEqual(['timed-out'])
      expect(await idle.queue.complete(claim, { status: 'done', output: 'later' })).toBe(false)
      expect(await statuses(tenant)).toEqual(['timed-out'])
    } else throw new Error('the run was claimed elsewhere')
    await idle.stop()
  })
})
