// The two foreign servers are what the gate takes them for: one fair, one naive, each with its ownership check to leave out.
// Refuses to judge them; that is the harness's work.

import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { z } from 'zod'
import { type Kind, serve } from './serve.ts'

const started: ChildProcess[] = []
afterEach(async () => {
  for (const child of started.splice(0)) {
    const gone = once(child, 'exit')
    child.kill('SIGKILL')
    await gone
  }
})

const answer = z.object({ id: z.string().optional(), status: z.string().optional(), input: z.unknown().optional() })

async function open(kind: Kind, more: Record<string, string> = {}) {
  const { child, port } = await serve(kind, more)
  started.push(child)
  return async (token: string, path: string, body?: unknown) => {
    const sent = body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }
    const got = await fetch(`http://127.0.0.1:${port}${path}`, {
      headers: { authorization: `Bearer ${token}` },
      ...sent,
    })
    const json: unknown = await got.json()
    return { status: got.status, retryAfter: got.headers.get('retry-after'), json }
  }
}

describe.each(['fair', 'fifo'] as const)('the %s server', (kind) => {
  test('runs a job and shows it to its owner only', async () => {
    const call = await open(kind)
    const { id = '' } = answer.parse((await call('token-a', '/jobs', { input: { canary: 'x' } })).json)
    await vi.waitFor(async () => {
      const job = answer.parse((await call('token-a', `/jobs/${id}`)).json)
      expect(job.input).toEqual({ canary: 'x' })
      if (kind === 'fifo') expect(job.status).toBe('done')
    })
    expect((await call('token-b', `/jobs/${id}`)).status).toBe(404)
    expect((await call('token-b', '/jobs')).json).toEqual([])
    expect((await call('token-a', '/jobs')).json).toHaveLength(1)
    expect((await call('nobody', '/jobs')).status).toBe(401)
  })

  test('shows it to others when the check is left out', async () => {
    const call = await open(kind, { UNCHECKED: '1' })
    const { id = '' } = answer.parse((await call('token-a', '/jobs', { input: 'mine' })).json)
    expect(answer.parse((await call('token-b', `/jobs/${id}`)).json).input).toBe('mine')
  })
})

test('the fair server bounds one tenant, and lets another pass it', async () => {
  const call = await open('fair')
  const flood = Array.from({ length: 200 }, () => call('token-noisy', '/jobs', { input: 1, ms: 50 }))
  await Promise.race(flood)
  const before = performance.now()
  expect((await call('token-a', '/jobs', { input: 1 })).status).toBe(200)
  const tookMs = performance.now() - before
  const answers = await Promise.all(flood)
  // At most 4 running and 64 waiting when the flood came; a few more, as slots became free meanwhile.
  const done = answers.filter(({ status }) => status === 200).length
  expect(done).toBeGreaterThanOrEqual(68)
  expect(done).toBeLessThan(120)
  expect(answers.filter(({ status }) => status === 429).every(({ retryAfter }) => retryAfter === '1')).toBe(true)
  // Behind the flood it would have been 64 jobs of 50 ms in 4 slots: 800 ms.
  expect(tookMs).toBeLessThan(400)
})

test('the fifo server lets one tenant stand before all others', async () => {
  const call = await open('fifo')
  await Promise.all(Array.from({ length: 80 }, () => call('token-noisy', '/jobs', { input: 1, ms: 50 })))
  const before = performance.now()
  const { id = '' } = answer.parse((await call('token-a', '/jobs', { input: 1 })).json)
  await vi.waitFor(async () => expect(answer.parse((await call('token-a', `/jobs/${id}`)).json).status).toBe('done'), {
    timeout: 5000,
    interval: 5,
  })
  // 80 jobs of 50 ms in 4 slots are 1,000 ms; some were done while the rest was still being sent.
  expect(performance.now() - before).toBeGreaterThan(500)
})
