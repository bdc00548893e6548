// The client of an engine on streams, on a real Redis: an error of ours is counted as one, and not taken for the stream's.

import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import type { OperationOutcome } from '../../harness/load/ledger.ts'
import { StreamClient } from '../../harness/load/stream-client.ts'
import { Canaries, type Sighting } from '../../harness/tenants/canary.ts'
import { type Scanner, scannerOf } from '../../harness/tenants/scanner.ts'
import { type Stage, startStage } from '../engine/stage.ts'

let stage: Stage
beforeAll(async () => {
  stage = await startStage()
})
afterAll(() => stage.stop())

const canaries = new Canaries('key of this test')

/** Results of `results`, as they are answered by the test. */
async function clientOf(key: string, scanner: Scanner = scannerOf(canaries)) {
  const heard = {
    ended: [] as [number, OperationOutcome][],
    ids: [] as string[],
    seen: [] as Sighting[],
    problems: [] as string[],
    thrown: [] as unknown[],
  }
  const client = new StreamClient(
    {
      label: 'quiet-1',
      id: key,
      origin: 'http://127.0.0.1',
      stepMs: 0,
      stream: { redisUrl: stage.url, key, fields: { input: '{{canary}}' } },
      completion: {
        by: 'results',
        key: `${key}:results`,
        idField: 'entry',
        statusField: 'status',
        failed: ['failed'],
      },
    },
    { timeoutMs: 2000, scanner },
    {
      ended: (seq, outcome) => void heard.ended.push([seq, outcome]),
      received: () => {},
      seen: (found) => void heard.seen.push(...found),
      runId: (id) => void heard.ids.push(id),
      problem: (what) => void heard.problems.push(what),
      threw: (error) => void heard.thrown.push(error),
    },
  )
  await client.subscribe()
  const answer = (entry: string, status: string, output: string) =>
    stage.redis.xadd(`${key}:results`, '*', 'entry', entry, 'status', status, 'output', output)
  return { client, heard, answer }
}

test('entries end as their results say, and what results show is scanned', async () => {
  const { client, heard, answer } = await clientOf('a')
  const mint = canaries.mintFor(3)
  for (const seq of [0, 1]) client.start(seq, mint.mint())
  await vi.waitFor(() => expect(heard.ids).toHaveLength(2))
  const [first = '', second = ''] = heard.ids
  await answer(first, 'done', mint.mint())
  await answer(second, 'failed', '')
  await vi.waitFor(() =>
    expect(heard.ended).toEqual([
      [0, 'ok'],
      [1, 'failed'],
    ]),
  )
  expect([heard.seen.map(({ owner }) => owner), heard.problems, heard.thrown]).toEqual([[3], [], []])
  await client.close()
})

test('an error of ours in reading a result is counted as ours, and the results behind it are read', async () => {
  const sound = scannerOf(canaries)
  const body = (bytes: Buffer) => {
    if (bytes.includes('burst')) throw new Error('the scanner burst')
    return sound.body(bytes)
  }
  const { client, heard, answer } = await clientOf('b', { ...sound, body })
  for (const seq of [0, 1]) client.start(seq, 'x')
  await vi.waitFor(() => expect(heard.ids).toHaveLength(2))
  const [first = '', second = ''] = heard.ids
  await answer(first, 'done', 'burst')
  await answer(second, 'done', 'y')
  await vi.waitFor(() => expect(heard.ended).toEqual([[1, 'ok']]))
  expect([heard.thrown.map(String), heard.problems]).toEqual([['Error: the scanner burst'], []])
  await client.close()
})
