// One tenant's client on real sockets: what counts as done, what is scanned, how often it asks.

import { once } from 'node:events'
import { createServer, type RequestListener, type ServerResponse } from 'node:http'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { connectionsFor, pollAfterMs, TenantClient } from '../../harness/load/client.ts'
import type { OperationOutcome } from '../../harness/load/ledger.ts'
import type { CalledAccess } from '../../harness/target/port.ts'
import { Canaries, type Sighting } from '../../harness/tenants/canary.ts'
import { type Scanner, scannerOf } from '../../harness/tenants/scanner.ts'
import { SeamScan } from '../../harness/tenants/seam.ts'

const canaries = new Canaries('key of this test')
const foreign = canaries.mintFor(7)

const open: Array<() => Promise<unknown>> = []
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close()
})

interface Heard {
  client: TenantClient
  ended: Array<[seq: number, outcome: OperationOutcome]>
  seen: Array<{ owner: number; where: string }>
  problems: string[]
  thrown: string[]
  received: number
}

async function clientOf(
  handle: RequestListener,
  access: Partial<CalledAccess> = {},
  timeoutMs = 5000,
  scanner: Scanner = scannerOf(canaries),
): Promise<Heard> {
  const server = createServer((request, response) => {
    request.resume()
    handle(request, response)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const port = address && typeof address === 'object' ? address.port : 0
  open.push(async () => {
    server.closeAllConnections()
    server.close()
  })
  const heard: Omit<Heard, 'client'> = { ended: [], seen: [], problems: [], thrown: [], received: 0 }
  const whole: CalledAccess = {
    label: 'quiet-1',
    id: 'q',
    origin: `http://127.0.0.1:${port}`,
    stepMs: 1,
    start: { method: 'POST', path: '/runs', headers: {}, body: '{}' },
    completion: { by: 'response' },
    ...access,
  }
  const client = new TenantClient(
    whole,
    { timeoutMs, connections: 8, scanner },
    {
      ended: (seq, outcome) => void heard.ended.push([seq, outcome]),
      received: () => void heard.received++,
      seen: (found: readonly Sighting[], where) => {
        for (const { owner } of found) heard.seen.push({ owner, where })
      },
      runId: () => {},
      problem: (what) => void heard.problems.push(what),
      threw: (error) => void heard.thrown.push(String(error)),
    },
  )
  open.push(() => client.close())
  return Object.assign(heard, { client })
}

async function outcomeOf(handle: RequestListener, access: Partial<CalledAccess> = {}, timeoutMs = 5000) {
  const heard = await clientOf(handle, access, timeoutMs)
  heard.client.start(0, 'c')
  await vi.waitFor(() => expect(heard.ended).toHaveLength(1), { timeout: 10_000 })
  return { outcome: heard.ended[0]?.[1], heard }
}

const answering = (status: number, body: string): RequestListener => {
  return (_request, response) => void response.writeHead(status).end(body)
}

describe('an operation that is done with its answer', () => {
  test.each<[string, OperationOutcome, number, string, string | undefined]>([
    ['has the id that was declared', 'ok', 200, '{"id":"r1"}', 'id'],
    ['needs no id where none was declared', 'ok', 200, '', undefined],
    ['has failed without the id that was declared', 'failed', 200, '{"error":"no"}', 'id'],
    ['has failed when its answer is no JSON', 'failed', 200, 'busy', 'id'],
    ['has failed when it is sent elsewhere', 'failed', 302, '{"id":"r1"}', 'id'],
    ['has failed when it is refused', 'failed', 429, '{"id":"r1"}', 'id'],
  ])('%s', async (_title, wanted, status, body, startIdAt) => {
    const { outcome } = await outcomeOf(answering(status, body), startIdAt === undefined ? {} : { startIdAt })
    expect(outcome).toBe(wanted)
  })

  test('has failed when the connection is cut, and is unfinished when it is waited for in vain', async () => {
    expect((await outcomeOf((request) => request.socket.destroy())).outcome).toBe('failed')
    expect((await outcomeOf(() => {}, {}, 500)).outcome).toBe('unfinished')
  })
})

test('an error of ours while an answer is read is told as ours', async () => {
  const throws = () => {
    throw new TypeError('no bytes')
  }
  const broken = { ...scannerOf(canaries), body: throws }
  const heard = await clientOf(answering(200, '{}'), {}, 5000, broken)
  heard.client.start(0, 'c')
  await vi.waitFor(() => expect(heard.thrown.length).toBeGreaterThan(0), { timeout: 10_000 })
  expect(heard.thrown[0]).toBe('TypeError: no bytes')
})

describe('canaries are seen', () => {
  test('in headers, and counted as one answer', async () => {
    const { heard } = await outcomeOf((_request, response) => {
      response.setHeader('set-cookie', ['a=b', `trace=${foreign.mint()}`])
      response.end('{}')
    })
    expect(heard.seen).toEqual([{ owner: 7, where: 'headers of answer to start' }])
    expect(heard.received).toBe(1)
  })

  test('in what came of an answer before it broke', async () => {
    const { outcome, heard } = await outcomeOf((_request, response) => {
      response.writeHead(200, { 'content-length': '5000' })
      response.write(`{"leak":"${foreign.mint()}"`, () => response.destroy())
    })
    expect(outcome).toBe('failed')
    expect(heard.seen).toEqual([{ owner: 7, where: 'answer to start' }])
  })

  test('in an event stream, wherever its pieces are cut, each once', () => {
    const mint = canaries.mintFor(3)
    const one = (text: string) => [text, Buffer.from(text).toString('base64'), Buffer.from(text).toString('hex')]
    const texts = Array.from({ length: 6 }, () => mint.mint()).flatMap(one)
    const bytes = Buffer.from(texts.map((text, i) => `data: {"n":${i},"v":"${text}"}\n\n`).join(''))
    expect(canaries.scan(bytes)).toHaveLength(18)
    for (let size = 1; size < 400; size += size < 60 ? 1 : 37) {
      const seam = new SeamScan((piece) => canaries.scan(piece))
      const found: Sighting[] = []
      for (let at = 0; at < bytes.length; at += size) found.push(...seam.next(bytes.subarray(at, at + size)))
      const sorted = (all: Sighting[]) => all.map(({ digest, encoding }) => `${digest} ${encoding}`).sort()
      expect(sorted(found), `pieces of ${size}`).toEqual(sorted(canaries.scan(bytes)))
    }
  })

  test('in an event stream whose pieces really come one by one', async () => {
    const canary = foreign.mint()
    const heard = await clientOf((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.write(`data: ${canary.slice(0, 11)}`)
      // The second piece leaves when the first was taken.
      void vi.waitFor(() => expect(heard.received).toBe(1)).then(() => response.write(`${canary.slice(11)}\n\n`))
    }, events)
    await heard.client.subscribe()
    await vi.waitFor(() => expect(heard.seen).toEqual([{ owner: 7, where: 'event stream' }]))
    expect(heard.received).toBe(2)
  })
})

const events = {
  startIdAt: 'id',
  completion: {
    by: 'sse',
    call: { method: 'GET', path: '/events', headers: {} },
    idAt: 'id',
    statusAt: 'status',
    done: ['done'],
    failed: ['dead'],
  },
} satisfies { startIdAt: string; completion: CalledAccess['completion'] }

describe('an event stream', () => {
  test('tells the end of runs, also before the answer to their start', async () => {
    let stream: ServerResponse | null = null
    const heard = await clientOf(async (request, response) => {
      if (request.url === '/events') {
        stream = response.writeHead(200)
        stream.write(': open\n\n')
        return
      }
      stream?.write('data: {"id":"r1","status":"done"}\n\ndata: {"id":"r0","status":"dead"}\n\n')
      await vi.waitFor(() => expect(heard.received).toBe(2))
      response.end('{"id":"r1"}')
    }, events)
    await heard.client.subscribe()
    heard.client.start(0, 'c')
    await vi.waitFor(() => expect(heard.ended).toEqual([[0, 'ok']]))
  })

  test('that is refused is no subscription, and says why', async () => {
    let asked = 0
    const heard = await clientOf((_request, response) => {
      asked++
      response.writeHead(asked < 3 ? 401 : 200)
      if (asked < 3) response.end('no')
      else response.write(': open\n\n')
    }, events)
    await heard.client.subscribe()
    expect(asked).toBe(3)
    expect(heard.problems).toEqual(Array(2).fill('quiet-1: the event stream answered 401'))
  })

  test('that breaks is opened again, and the gap is told', async () => {
    let opened = 0
    const heard = await clientOf((_request, response) => {
      opened++
      response.writeHead(200).write(': open\n\n', () => (opened === 1 ? response.destroy() : null))
    }, events)
    await heard.client.subscribe()
    await vi.waitFor(() => expect(opened).toBe(2))
    expect(heard.problems).toEqual([expect.stringContaining('quiet-1: the event stream broke')])
  })
})

describe('polling', () => {
  test('slows down with the age of the run', () => {
    const ages = [0, 39, 80, 800, 2000, 9000]
    expect(ages.map((ageMs) => pollAfterMs(5, ageMs))).toEqual([5, 5, 10, 100, 250, 250])
    expect(pollAfterMs(1000, 9000)).toBe(1000)
  })

  test('asks a slow target about thirty times in its first second, not two hundred', async () => {
    const [began, asked] = [performance.now(), { times: 0 }]
    const poll = { path: '/runs/{id}', statusAt: 'status', done: ['done'], failed: [] }
    const { outcome } = await outcomeOf(
      (request, response) => {
        if (request.method === 'POST') return void response.end('{"id":"r1"}')
        asked.times++
        response.end(performance.now() - began < 1000 ? '{"status":"running"}' : '{"status":"done"}')
      },
      { startIdAt: 'id', completion: { by: 'poll', everyMs: 5, ...poll } },
    )
    expect(outcome).toBe('ok')
    // 8 in 40 ms, then an eighth more apart each time: ln(1000/40)/ln(1.125) = 27, and the last.
    expect(asked.times).toBeLessThanOrEqual(38)
    expect(asked.times).toBeGreaterThan(8)
  })
})

test('there are connections for all that can be open at a time, within what loopback has', () => {
  expect(connectionsFor(100, 10_000, 4)).toBe(1000)
  expect(connectionsFor(500, 10_000, 4)).toBe(4096)
  expect(connectionsFor(5000, 10_000, 64)).toBe(256)
  expect(connectionsFor(1, 10_000, 4)).toBe(64)
})
