// Random schedules of everything that a tenant, its admin and its event source can do at once, judged by the witness alone:
// on a sound machine, with worker processes killed at random places, and with connections to Redis cut again and again.

import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type Random, randomFor } from '../../../harness/load/random.ts'
import { startProxy } from '../proxy.ts'
import { endingsOf, recordsOf } from '../queue/records.ts'
import { type Node, type NodeOptions, type Stage, startNode, startStage, until } from '../stage.ts'
import { Witness } from '../witness.ts'
import { type Account, sightingsOf, violations } from './judge.ts'
import { Ledger, type Life, WORKFLOW_NAMES } from './ledger.ts'
import { workerProcesses } from './worker-process.ts'

const WINDOW_MS = 400
const LEASE_MS = 600
const MAX_RUN_MS = 120
const SLOTS = 8
const CRASH_POINTS = ['after-bell', 'after-pick', 'after-claim', 'before-complete']

const runSeed = Number(process.env.RUN_SEED ?? Date.now() % 1_000_000)

let stage: Stage
let witness: Witness
let ledger: Ledger
/** Asks; runs nothing. */
let asking: Node
const options: NodeOptions = { windowMs: WINDOW_MS, leaseMs: LEASE_MS }

beforeEach(async () => {
  stage = await startStage()
  asking = await startNode(stage, options)
  witness = new Witness()
  ledger = new Ledger(asking)
  for (const id of ['a', 'b', 'c']) await create(id)
})
afterEach(async () => {
  await asking.stop()
  await stage.stop()
})

const create = (id: string) =>
  ledger.create(id, { concurrentRuns: 3, startsPerMinute: 40, maxRunMs: MAX_RUN_MS, maxQueued: 60 })

/** One step of a schedule: what, for whom, and then perhaps nothing for a while. */
async function step(random: Random): Promise<void> {
  const below = (n: number) => Math.floor(random() * n)
  const lives = ledger.living()
  const life = lives[below(lives.length)]
  const workflow = WORKFLOW_NAMES[below(WORKFLOW_NAMES.length)] ?? ''
  if (life === undefined) throw new Error('no tenant lives')
  const what = below(100)
  if (what < 45) await ledger.start(life, workflow)
  else if (what < 60) await ledger.write(life, workflow)
  else if (what < 66) await ledger.writeMalformed(life, below(5))
  else if (what < 80) await ledger.cancel(life, below(8))
  else if (what < 84) await ledger.limit(life, { concurrentRuns: 1 + below(5) })
  else if (what < 87) await ledger.limit(life, { startsPerMinute: 5 + below(60) })
  else if (what < 89)
    await ledger.limit(life, { maxQueued: 5 + below(60), maxRunMs: MAX_RUN_MS / 2 + below(MAX_RUN_MS) })
  else if (what < 91) await ledger.suspend(life)
  else if (what < 98) await ledger.resume(life)
  else {
    await ledger.drop(life)
    await create(life.tenant)
  }
  if (below(3) === 0) await sleep(below(20))
}

async function perform(steps: number, purpose: string): Promise<void> {
  const random = randomFor(runSeed, purpose)
  for (let i = 0; i < steps; i++) await step(random)
}

async function accountOf({ tenant }: Life): Promise<Account> {
  const [records, endings, letters] = await Promise.all([
    recordsOf(stage.redis, tenant),
    endingsOf(stage.redis, tenant),
    asking.queue.deadLetters(tenant, null, 10_000),
  ])
  return {
    statuses: new Map([...records].map(([entryId, { status }]) => [entryId, status])),
    endings,
    letters: new Map(letters.map(({ entryId, reason }) => [entryId, reason])),
  }
}

/** Lets everything end that can, then judges each life. */
async function expectSound(): Promise<void> {
  for (const life of ledger.living()) {
    await ledger.resume(life)
    await ledger.limit(life, { concurrentRuns: 20, startsPerMinute: 1_000_000 })
  }
  const left = async () => {
    const depths = await Promise.all(ledger.living().map(({ tenant }) => asking.queue.depth(tenant)))
    return depths.filter(({ queued, active }) => queued + active > 0)
  }
  await until(async () => (await left()).length === 0 || (await left()), 20_000)
  await until(() => witness.sightings.every(({ endedNs }) => endedNs !== null), 5000)
  const wrong: string[] = []
  let known = 0
  for (const life of ledger.lives) {
    known += sightingsOf(life, witness).length
    wrong.push(...violations(life, witness, WINDOW_MS, life.gone === null ? await accountOf(life) : null))
  }
  if (known !== witness.sightings.length) wrong.push(`${witness.sightings.length - known} steps were nobody's`)
  const started = ledger.lives.reduce((sum, { starts }) => sum + starts.size, 0)
  console.log(`${ledger.lives.length} tenants, ${started} starts, ${witness.sightings.length} attempts seen`)
  expect(wrong).toEqual([])
  expect(witness.sightings.length).toBeGreaterThan(100)
}

test(`a random schedule keeps every promise, run seed ${runSeed}`, { timeout: 60_000 }, async () => {
  console.log(`run seed ${runSeed}, window ${WINDOW_MS} ms, lease ${LEASE_MS} ms, runs at most ${MAX_RUN_MS} ms`)
  const workers = await Promise.all([0, 1].map(() => startNode(stage, options)))
  for (const worker of workers) worker.work({ slots: SLOTS, witness })
  await perform(800, 'plain')
  await expectSound()
  await Promise.all(workers.map((worker) => worker.stop()))
})

test(`so it does while workers are killed, run seed ${runSeed}`, { timeout: 60_000 }, async () => {
  const processes = await workerProcesses(witness, {
    STAGE_URL: stage.url,
    LEASE_MS: String(LEASE_MS),
    WINDOW_MS: String(WINDOW_MS),
  })
  const random = randomFor(runSeed, 'deaths')
  let over = false
  let launched = 0
  const keeping = (async () => {
    while (!over) {
      if (processes.running().length < 2) {
        launched++
        const point = CRASH_POINTS[Math.floor(random() * CRASH_POINTS.length)] ?? ''
        await processes.launch({ CRASH_AT: point, CRASH_AFTER: String(2 + Math.floor(random() * 30)) })
      } else await sleep(5)
    }
  })()
  await until(() => processes.running().length === 2, 10_000)
  await perform(1000, 'killed')
  over = true
  await keeping
  const deaths = launched - processes.running().length
  await processes.launch({})
  await expectSound()
  console.log(`${deaths} workers were killed meanwhile`)
  expect(deaths).toBeGreaterThanOrEqual(2)
  await processes.stop()
})

test(`so it does while connections are cut, run seed ${runSeed}`, { timeout: 60_000 }, async () => {
  const proxy = await startProxy(stage.port)
  const workers = await Promise.all([0, 1].map(() => startNode(stage, { ...options, url: proxy.url })))
  for (const worker of workers) worker.work({ slots: SLOTS, witness })
  const random = randomFor(runSeed, 'cuts')
  let over = false
  let cuts = 0
  const cutting = (async () => {
    while (!over) {
      await sleep(40 + random() * 200)
      proxy.cut()
      cuts++
    }
  })()
  await perform(700, 'cut')
  over = true
  await cutting
  await expectSound()
  console.log(`connections were cut ${cuts} times`)
  expect(cuts).toBeGreaterThan(5)
  await Promise.all(workers.map((worker) => worker.stop()))
  await proxy.stop()
})
