// What is kept of finished runs, and until when, on a real Redis: the records are made by hand, since ten thousand runs, or
// a day, would take long.

import { afterAll, beforeAll, expect, test } from 'vitest'
import { openStand, type Stand, until } from './stand.ts'

let stand: Stand

beforeAll(async () => {
  stand = await openStand()
})
afterAll(async () => await stand.close())

const FINISHED_MAX = 10_000
const DAY_MS = 24 * 3600 * 1000

/** `count` runs that ended one after the other, a millisecond each, the last at `endedAt`; each started with a key. */
async function forge(id: string, count: number, endedAt: number): Promise<string[]> {
  const key = (name: string) => `tenant:{${id}}:${name}`
  const ids: string[] = []
  const pipeline = stand.redis.pipeline()
  for (let i = 0; i < count; i++) {
    const at = endedAt - count + 1 + i
    const entry = `${at}-0`
    ids.push(entry)
    const base = `"workflow":"echo","source":"api","queuedAt":${at},"key":"key-${at}"`
    const head = `{${base},"status":"done","attempt":1,"startedAt":${at},"endedAt":${at},"output":${i}}`
    pipeline.hset(key('runs'), entry, head).hset(key('runs:inputs'), entry, `${i}`)
    pipeline.zadd(key('runs:index'), at, entry).zadd(key('runs:ended'), at, entry)
    pipeline.hset(key('idem'), `key-${at}`, `${entry} digest`)
  }
  await pipeline.exec()
  return ids
}

async function kept(id: string): Promise<number[]> {
  const key = (name: string) => `tenant:{${id}}:${name}`
  const { redis } = stand
  return await Promise.all([
    redis.hlen(key('runs')),
    redis.hlen(key('runs:inputs')),
    redis.zcard(key('runs:index')),
    redis.zcard(key('runs:ended')),
    redis.hlen(key('idem')),
  ])
}

test('of more than 10,000 finished runs the oldest go, with all that is kept of them', async () => {
  const tenant = await stand.tenant('keeps-many')
  const now = Date.now()
  const ids = await forge('keeps-many', FINISHED_MAX + 30, now - 1000)
  const fresh = await tenant.finished('echo', 'new')
  // The new one has no key.
  expect(await kept('keeps-many')).toEqual([...Array(4).fill(FINISHED_MAX), FINISHED_MAX - 1])
  const status = async (entry = '') => (await tenant.call('GET', `/v1/runs/run_keeps-many_${entry}`)).status
  // 31 over the bound: thirty too many, and the new one.
  expect([await status(ids[30]), await status(ids[31])]).toEqual([404, 200])
  expect((await tenant.call('GET', `/v1/runs/${fresh.id}`)).json?.status).toBe('done')
  expect((await tenant.call('GET', '/v1/runs?limit=1')).json).toMatchObject({ runs: [{ id: fresh.id }] })
})

test('a finished run goes after a day, also when its tenant does nothing any more, and a younger one stays', async () => {
  const tenant = await stand.tenant('keeps-a-day')
  await stand.tenant('bystander')
  const [old, young] = [
    await forge('keeps-a-day', 250, Date.now() - DAY_MS - 1000),
    await forge('keeps-a-day', 2, Date.now() - DAY_MS / 2),
  ]
  // The audit passes by every tenant, a hundred runs each time.
  await until(async () => ((await kept('keeps-a-day')).join() === '2,2,2,2,2' ? true : null))
  const left = young.toReversed().map((entry) => ({ id: `run_keeps-a-day_${entry}` }))
  expect((await tenant.call('GET', '/v1/runs')).json).toMatchObject({ runs: left, cursor: null })
  expect((await tenant.call('GET', `/v1/runs/run_keeps-a-day_${old[249]}`)).status).toBe(404)
})

/** An event and a dead letter each, as old as `at`, the last of them with the canary. */
async function forgeStreams(id: string, count: number, at: number, canary: string): Promise<void> {
  const pipeline = stand.redis.pipeline()
  for (let i = 0; i < count; i++) {
    const text = i === count - 1 ? canary : 'x'
    const [entry, key] = [`${at}-${i}`, (name: string) => `tenant:{${id}}:${name}`]
    const head = `{"id":"run_${id}_${entry}","workflow":"echo","status":"done","output":"${text}"}`
    pipeline.xadd(key('workflow:history'), entry, 'run', head)
    const said = ['entry', entry, 'reason', 'workflow-unknown', 'at', at, 'workflow', 'echo', 'input', text, 'cut', '0']
    pipeline.xadd(key('dead'), entry, ...said)
  }
  for (const [error] of (await pipeline.exec()) ?? []) if (error) throw error
}

test('what a run gave back and what died goes from events, dead letters and the export after a day, and not before', async () => {
  // No run is left of this tenant: only the streams tell that something is too old.
  const tenant = await stand.tenant('keeps-no-output')
  await forgeStreams('keeps-no-output', 250, Date.now() - DAY_MS - 1000, 'canary-old')
  await forgeStreams('keeps-no-output', 2, Date.now() - DAY_MS + 600_000, 'canary-young')
  const lengths = () =>
    Promise.all(['workflow:history', 'dead'].map((name) => stand.redis.xlen(`tenant:{keeps-no-output}:${name}`)))
  await until(async () => ((await lengths()).join() === '2,2' ? true : null))
  const { text } = await tenant.call('GET', '/v1/export')
  expect(text).not.toContain('canary-old')
  expect(text.match(/canary-young/g)).toHaveLength(2)
})
