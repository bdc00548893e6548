// What one question can make the API hold, on a real Redis: pages are cut by their bytes, and lose and double nothing.

import { createHmac } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { digestOf } from '../../../engine/tenant.ts'
import { openStand, type Stand, type TenantClient, until } from './stand.ts'

let stand: Stand

beforeAll(async () => {
  stand = await openStand()
})
afterAll(async () => await stand.close())

const LARGE = 700_000
const PAGE_BYTES_MAX = 4 << 20

/** Every page from the first to the last, and the bytes of each. */
async function pagesOf(tenant: TenantClient, path: string, member: string) {
  const items: Record<string, unknown>[] = []
  const bytes: number[] = []
  let cursor: unknown = null
  do {
    const after = cursor === null ? '' : `&cursor=${cursor}`
    const answer = await tenant.call('GET', `${path}?limit=1000${after}`)
    if (answer.status !== 200) throw new Error(answer.text)
    bytes.push(answer.text.length)
    const page = answer.json ?? {}
    items.push(...(page[member] as Record<string, unknown>[]))
    cursor = page.cursor
  } while (cursor !== null)
  return { items, bytes }
}

async function write(tenant: TenantClient, workflow: string, inputs: string[]): Promise<void> {
  for (const input of inputs) {
    await stand.redis.xadd(`tenant:{${tenant.id}}:workflow:events`, '*', 'workflow', workflow, 'input', input)
  }
  const buried = async () => (await stand.redis.xlen(`tenant:{${tenant.id}}:dead`)) >= inputs.length
  await until(async () => ((await buried()) ? true : null))
}

describe('a page of runs', () => {
  test('is cut before it grows beyond 4 MiB, and the pages together have each run once, newest first', async () => {
    const tenant = await stand.tenant('large-runs', { startsPerMinute: 10_000, maxPayloadBytes: 1 << 20 })
    const ids: unknown[] = []
    // Input and output: 1.4 MB a run, so two fit.
    for (let i = 0; i < 7; i++) ids.unshift((await tenant.finished('echo', 'x'.repeat(LARGE))).id)
    const { items, bytes } = await pagesOf(tenant, '/v1/runs', 'runs')
    expect(items.map(({ id }) => id)).toEqual(ids)
    for (const page of bytes) expect(page).toBeLessThan(PAGE_BYTES_MAX)
    expect(bytes).toHaveLength(4)
  })

  test('of small runs has as many as were asked for', async () => {
    const tenant = await stand.tenant('small-runs', { startsPerMinute: 10_000, maxQueued: 10_000 })
    await Promise.all(Array.from({ length: 250 }, () => tenant.finished('echo', 'x')))
    const { items, bytes } = await pagesOf(tenant, '/v1/runs', 'runs')
    expect([items.length, new Set(items.map(({ id }) => id)).size, bytes.length]).toEqual([250, 250, 1])
  })
})

describe('a page of dead letters', () => {
  test('is cut before it grows beyond 4 MiB, and the pages together have each letter once, oldest first', async () => {
    const tenant = await stand.tenant('large-letters', { maxPayloadBytes: 1 << 20 })
    const inputs = Array.from({ length: 12 }, (_, i) => `${i}${'y'.repeat(LARGE)}`)
    await write(tenant, 'gone', inputs)
    const { items, bytes } = await pagesOf(tenant, '/v1/dead-letters', 'deadLetters')
    expect(items.map(({ input }) => String(input).replace(/y+$/, ''))).toEqual(inputs.map((_, i) => String(i)))
    for (const page of bytes) expect(page).toBeLessThan(PAGE_BYTES_MAX)
    expect(bytes).toHaveLength(3)
  })

  test('shows each field as it was written, also of a workflow that is named like a field', async () => {
    const tenant = await stand.tenant('named')
    for (const name of ['input', 'cut', 'entry']) await write(tenant, name, ['"theirs"'])
    const letters = await until(async () => {
      const found = (await tenant.call('GET', '/v1/dead-letters')).json?.deadLetters as Record<string, unknown>[]
      return found.length === 3 ? found : null
    })
    expect(letters.map(({ workflow, input, cut, reason }) => [workflow, input, cut, reason])).toEqual([
      ['input', '"theirs"', false, 'workflow-unknown'],
      ['cut', '"theirs"', false, 'workflow-unknown'],
      ['entry', '"theirs"', false, 'workflow-unknown'],
    ])
  })
})

describe('an id that no entry can have', () => {
  const U64 = '18446744073709551615'
  const impossible = ['99999999999999999999-0', '0-18446744073709551616', '18446744073709551616-1', '01-1', '1-01']

  test.each(impossible)('%s is an unknown run and an unknown dead letter', async (entry) => {
    const tenant = await stand.tenant(`ids-${entry}`)
    const asked = [
      ['GET', `/v1/runs/run_${tenant.id}_${entry}`, 'run-unknown'],
      ['GET', `/v1/runs/run_${tenant.id}_${entry}/events`, 'run-unknown'],
      ['POST', `/v1/runs/run_${tenant.id}_${entry}/cancel`, 'run-unknown'],
      ['POST', `/v1/dead-letters/dead_${tenant.id}_${entry}/redrive`, 'dead-letter-unknown'],
    ] as const
    for (const [method, path, code] of asked) {
      const { status, json } = await tenant.call(method, path)
      expect([path, status, json?.code]).toEqual([path, 404, code])
    }
  })

  test('is no cursor and no event id, even with the mark that a tenant can make for itself', async () => {
    const tenant = await stand.tenant('forger')
    const forged = (use: string, position: string) => {
      const mark = createHmac('sha256', digestOf(tenant.token)).update(`${use} ${position}`).digest('base64url')
      return `${position}.${mark.slice(0, 16)}`
    }
    const positions = [...impossible, `${U64}-${U64}`, '1-2-3']
    for (const position of positions) {
      const [letters, events, runs] = await Promise.all([
        tenant.call('GET', `/v1/dead-letters?cursor=${forged('dead-letters', position)}`),
        tenant.call('GET', '/v1/events', undefined, { 'last-event-id': forged('events', position) }),
        tenant.call('GET', `/v1/runs?cursor=${forged('runs', `99999999999999999999-${position}`)}`),
      ])
      const seen = [letters, events, runs].map(({ status, json }) => [status, json?.code])
      expect([position, ...seen]).toEqual([position, ...Array(3).fill([400, 'cursor-invalid'])])
    }
    expect((await tenant.call('GET', `/v1/dead-letters?cursor=${forged('dead-letters', '1-1')}`)).status).toBe(200)
  })
})
