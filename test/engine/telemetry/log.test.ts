// The log: whose line it is, and what is in none.

import { Writable } from 'node:stream'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openLog } from '../../../engine/telemetry/log.ts'
import { openStand, type Stand } from '../api/stand.ts'

let stand: Stand
beforeAll(async () => {
  stand = await openStand()
})
afterAll(async () => await stand.close())

test('every line of a run has its tenant and its id, however many run at once', async () => {
  const tenants = await Promise.all(['log-a', 'log-b', 'log-c'].map((id) => stand.tenant(id)))
  await Promise.all(
    tenants.map((tenant) =>
      tenant.call('PUT', '/v1/workflows/nap', { steps: [{ type: 'sleep', ms: 5 }, { type: 'echo' }] }),
    ),
  )
  stand.logLines.length = 0
  const ended = await Promise.all(
    tenants.flatMap((tenant) => Array.from({ length: 20 }, () => tenant.finished('nap', 'secret-input'))),
  )
  const lines = stand.logLines.map((line) => JSON.parse(line) as Record<string, string>)
  const ofRuns = lines.filter(({ msg }) => msg === 'a run begins' || msg === 'its outcome was told')
  for (const { id } of ended) {
    const own = ofRuns.filter(({ run }) => run === id)
    expect(own.map(({ msg }) => msg)).toEqual(['a run begins', 'its outcome was told'])
    for (const { tenant, run } of own) expect(run).toMatch(new RegExp(`^run_${tenant}_`))
  }
  expect(ofRuns).toHaveLength(120)
  expect(stand.logLines.join('')).not.toContain('secret-input')
})

test('a request that fails for a fault of the engine is logged with its tenant, and the run that it was about', async () => {
  const tenant = await stand.tenant('log-fault')
  const run = await tenant.finished('echo')
  await stand.redis.hset('tenant:{log-fault}:runs', String(run.id).split('_')[2] ?? '', 'spoilt')
  stand.logLines.length = 0
  expect((await tenant.call('GET', `/v1/runs/${run.id}`)).json?.code).toBe('internal-error')
  expect((await tenant.call('GET', '/v1/runs')).json?.code).toBe('internal-error')
  const lines = stand.logLines.map((line) => JSON.parse(line)).filter(({ msg }) => msg === 'a request failed')
  expect(lines.map(({ tenant, run }) => [tenant, run])).toEqual([
    ['log-fault', run.id],
    ['log-fault', undefined],
  ])
})

test('an error is logged without what it carries, and a token in its message is not legible', () => {
  let text = ''
  const log = openLog(
    'info',
    new Writable({
      write(chunk, _encoding, done) {
        text += String(chunk)
        done()
      },
    }),
  )
  const cause = Object.assign(new Error('refused pw_acme_0123456789abcdefghij'), { command: { args: ['canary'] } })
  log.error({ err: new Error('a call failed', { cause }) }, 'no')
  expect(JSON.parse(text).err).toMatchObject({ message: 'a call failed', cause: { message: 'refused pw_…' } })
  expect(text).not.toMatch(/canary|0123456789/)
})
