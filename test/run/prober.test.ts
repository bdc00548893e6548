// The prober against systems of a few lines, each right or wrong in one way, on real sockets; what it observed is judged.

import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { gzipSync } from 'node:zlib'
import { afterEach, expect, test, vi } from 'vitest'
import type { ProbeLine, ProbeObservation } from '../../harness/evidence/run.ts'
import * as canariesStay from '../../harness/probes/canaries-stay-with-tenant.ts'
import * as runsStay from '../../harness/probes/runs-stay-with-tenant.ts'
import { type Prober, startProber } from '../../harness/run/prober.ts'
import type { TenantAccess } from '../../harness/target/port.ts'
import { Canaries } from '../../harness/tenants/canary.ts'
import { scannerOf } from '../../harness/tenants/scanner.ts'

const canaries = new Canaries('key of this test')
const TENANTS = ['a', 'b', 'noisy']
const eyes = { scanner: scannerOf(canaries), labelOf: (owner: number) => TENANTS[owner] ?? 'unknown' }
const canaryOf = new Map(TENANTS.map((tenant, owner) => [tenant, canaries.mintFor(owner).mint()]))

interface Asked {
  tenant: string
  /** Null for the list. */
  id: string | null
  query: URLSearchParams
  /** Of all requests, from 0. */
  serial: number
}
type System = (asked: Asked, res: ServerResponse) => void

const cleaners: Array<() => unknown> = []
afterEach(() => {
  for (const clean of cleaners.splice(0).reverse()) clean()
})

const send = (res: ServerResponse, status: number, body: unknown, headers: Record<string, string> = {}) =>
  res.writeHead(status, headers).end(typeof body === 'string' ? body : JSON.stringify(body))

/** Run ids of a tenant: `a-1` to `a-9`, of each its canary. */
const ownIds = (tenant: string) => Array.from({ length: 9 }, (_, i) => `${tenant}-${i + 1}`)
const ownerOf = (id: string) => TENANTS.find((tenant) => ownIds(tenant).includes(id))
const runOf = (tenant: string, id: string) => ({ id, status: 'done', input: canaryOf.get(tenant) })

async function listen(system: System): Promise<string> {
  let serial = 0
  const server = createServer((req: IncomingMessage, res) => {
    const { pathname, searchParams } = new URL(req.url ?? '', 'http://any')
    const id = pathname.startsWith('/runs/') ? decodeURIComponent(pathname.slice('/runs/'.length)) : null
    system({ tenant: String(req.headers['x-tenant']), id, query: searchParams, serial: serial++ }, res)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  cleaners.push(
    () => server.closeAllConnections(),
    () => server.close(),
  )
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return `http://127.0.0.1:${address.port}`
}

interface Options {
  ids?: (tenant: string) => string[]
  listNext?: TenantAccess['listNext']
  /** When enough was seen. */
  until?: (lines: ProbeObservation[]) => boolean
}

/** A round is a read of each owner by each reader, and a list of each reader. */
const rounds = (n: number) => (lines: ProbeObservation[]) => {
  const lists = lines.filter(({ page }) => page === 1 || page === 'only')
  return lists.length >= 3 * n && lines.filter(({ probe }) => probe === 'read').length >= 6 * n
}
const EVERY_MS = 10

/** What two quiet tenants and a noisy one see of a system. */
async function observed(system: System, options: Options = {}): Promise<ProbeObservation[]> {
  const { ids = ownIds, listNext, until = rounds(1) } = options
  const origin = await listen(system)
  const accesses = TENANTS.map((label): TenantAccess => {
    const get = (path: string) => ({ method: 'GET' as const, path, headers: { 'x-tenant': label } })
    return {
      label,
      id: label,
      origin,
      stepMs: 1,
      start: { method: 'POST', path: '/runs', headers: {} },
      completion: { by: 'response' },
      read: get('/runs/{id}'),
      list: get('/runs?limit=2'),
      ...(listNext ? { listNext } : {}),
    }
  })
  const quiet = accesses.slice(0, 2)
  const prober: Prober = startProber(quiet, accesses, eyes, () => 7, EVERY_MS)
  cleaners.push(() => prober.rest())
  for (const { label } of quiet) prober.learn(label, ids(label))
  const lines: ProbeObservation[] = []
  prober.begin('placebo')
  await vi.waitFor(
    () => {
      lines.push(...prober.take())
      expect(until(lines)).toBe(true)
    },
    { timeout: 20_000, interval: 10 },
  )
  prober.rest()
  return lines
}

/** Shows a tenant its own runs, in a list of one page; everything else is up to `refuse`. */
const fair =
  (refuse: (asked: Asked, res: ServerResponse) => void): System =>
  (asked, res) => {
    const { tenant, id } = asked
    if (id === null) return send(res, 200, { runs: [runOf(tenant, `${tenant}-9`)] })
    if (ownerOf(id) === tenant) return send(res, 200, runOf(tenant, id))
    refuse(asked, res)
  }
const notFound = fair((_, res) => send(res, 404, { error: 'no such run' }))

const judged = (lines: ProbeLine[]) => ({
  runs: runsStay.judge(lines),
  canaries: canariesStay.judge(lines, ['a', 'b']),
})
const findings = (lines: ProbeLine[]) => {
  const { runs, canaries } = judged(lines)
  return [runs.finding, canaries.finding]
}

test('a system that refuses is held, with as many questions as readers and runs were asked about', async () => {
  const lines = await observed(notFound, { until: rounds(2) })
  const words = ({ reader, owner, run, status }: ProbeObservation) => [reader, owner, run, status].join(' ')
  const wanted = ['9', '1'].flatMap((n) => [
    ...[`a a a-${n} 200`, `b a a-${n} 404`, `noisy a a-${n} 404`],
    ...[`a b b-${n} 404`, `b b b-${n} 200`, `noisy b b-${n} 404`],
  ])
  const reads = lines.filter((o) => wanted.includes(words(o)))
  expect(reads.map(words).toSorted()).toEqual(wanted.toSorted())
  const lists = lines.filter((o) => o.probe === 'list').slice(0, 6)
  const { runs, canaries } = judged([...reads, ...lists])
  expect(runs).toMatchObject({ finding: 'held', tenants: ['a', 'b', 'noisy'], opportunities: 8, controls: 4 })
  expect(canaries).toMatchObject({ finding: 'held', opportunities: 18, controls: 10 })
  expect(canaries.reason).toContain('of lists the first page only was asked')
})

test('a system that shows every run to everybody is broken in both ways', async () => {
  const lines = await observed(
    fair(({ id }, res) => {
      const owner = ownerOf(id ?? '')
      send(res, owner ? 200 : 404, owner ? runOf(owner, id ?? '') : {})
    }),
  )
  const { runs, canaries } = judged(lines)
  expect(runs).toMatchObject({ finding: 'broken', tenants: ['a', 'b'] })
  expect(runs.reason).toContain(
    "reads of a neighbour's run were answered with it: a read a run of b, b read a run of a, noisy read a run of a, noisy read a run of b",
  )
  expect(canaries).toMatchObject({ finding: 'broken', tenants: ['a', 'b'] })
})

test('an own read that is answered with somebody else’s run is broken', async () => {
  const swapping: System = (asked, res) => {
    const { tenant, id } = asked
    if (id !== null && tenant === 'b' && ownerOf(id) === 'b') return send(res, 200, runOf('a', id))
    notFound(asked, res)
  }
  const { canaries } = judged(await observed(swapping))
  expect(canaries).toMatchObject({ finding: 'broken', tenants: ['a'] })
  expect(canaries.witness[0]?.what).toMatch(
    /^b: canary \w{12} of a in the answer to its read of run b-9 of b \(200, body, plain\)$/,
  )
})

const wrongPlaces: Record<string, (asked: Asked, res: ServerResponse) => void> = {
  'a refusal': ({ id }, res) => send(res, 404, { error: `no ${canaryOf.get(ownerOf(id ?? '') ?? '')}` }),
  'a broken answer': ({ id }, res) => send(res, 500, { stack: canaryOf.get(ownerOf(id ?? '') ?? '') }),
  'a header': ({ id }, res) => send(res, 404, {}, { 'x-input': canaryOf.get(ownerOf(id ?? '') ?? '') ?? 'none' }),
  'an answer that breaks off': ({ id }, res) => {
    res
      .writeHead(200, { 'content-length': '1000' })
      .write(`{"input":"${canaryOf.get(ownerOf(id ?? '') ?? '')}`, () => res.destroy())
  },
  'a gzipped answer': ({ id }, res) => {
    res.writeHead(404, { 'content-encoding': 'gzip' }).end(gzipSync(`${canaryOf.get(ownerOf(id ?? '') ?? '')}`))
  },
}
test.each(Object.entries(wrongPlaces))('a foreign canary in %s is broken in both ways', async (_, refuse) => {
  expect(findings(await observed(fair(refuse)))).toEqual(['broken', 'broken'])
})

test('a foreign canary in the answer for an id of nobody is broken', async () => {
  const lines = await observed(
    fair(({ id }, res) => send(res, 200, ownerOf(id ?? '') ? {} : { last: canaryOf.get('a') })),
  )
  expect(judged(lines).canaries).toMatchObject({ finding: 'broken', tenants: ['a'] })
})

const politeRefusals: Record<string, (asked: Asked) => unknown> = {
  'the same words': () => ({ error: 'no such run' }),
  'the id': ({ id }) => ({ error: `no run ${id}`, id }),
  'the time and a request id': ({ id, serial }) => ({ id, at: performance.now(), request: `q${serial}` }),
}
test.each(Object.entries(politeRefusals))('a refusal by 200 with %s in it is held', async (_, body) => {
  const lines = await observed(fair((asked, res) => send(res, 200, body(asked))))
  expect(findings(lines)).toEqual(['held', 'held'])
  expect(lines.filter((o) => o.likeUnknown === true).length).toBeGreaterThanOrEqual(4)
})

test('a 200 that an id of nobody does not get is broken, though it holds no canary', async () => {
  const lines = await observed(
    fair(({ id }, res) => send(res, 200, { status: ownerOf(id ?? '') ? 'done' : 'unknown' })),
  )
  expect(findings(lines)).toEqual(['broken', 'held'])
})

test('a 200 whose comparison fails is not decided: no leak, and no proof that there was none', async () => {
  for (const status of [429, 503]) {
    const lines = await observed(
      fair(({ id }, res) => send(res, ownerOf(id ?? '') ? 200 : status, { error: 'no such run' })),
    )
    expect(findings(lines)).toEqual(['inconclusive', 'held'])
    expect(lines.filter((o) => o.likeUnknown !== null)).toEqual([])
  }
})

test('where each tenant counts its runs by itself, the reader’s own run of that id is no leak', async () => {
  const ids = () => ['15', '16', '17']
  const counting: System = ({ tenant, id }, res) => {
    if (id === null) return send(res, 200, [runOf(tenant, '17')])
    if (!ids().includes(id)) return send(res, 404, {})
    // The noisy tenant's runs were started by somebody else and hold no canary.
    send(res, 200, tenant === 'noisy' ? { id, status: 'done' } : runOf(tenant, id))
  }
  const lines = await observed(counting, { ids })
  expect(judged(lines).runs.finding).toBe('inconclusive')
  expect(judged(lines).canaries.finding).toBe('held')
  expect(lines.filter((o) => o.likeUnknown === false)).toEqual([])
  const quiet = lines.filter((o) => o.reader !== 'noisy')
  expect(judged(quiet).runs).toMatchObject({ finding: 'held', tenants: ['a', 'b'] })
})

/** Pages of two of a tenant's nine runs; what is behind the first page is up to `page`. */
const paged =
  (page: (tenant: string, from: number) => string[]): System =>
  (asked, res) => {
    const { tenant, id, query } = asked
    if (id !== null) return notFound(asked, res)
    expect(query.get('limit')).toBe('2')
    const from = Number(query.get('after') ?? 0)
    const next = from + 2 < 9 ? from + 2 : null
    send(res, 200, { items: page(tenant, from), paging: { next } })
  }
const listNext = { cursorAt: 'paging.next', param: 'after' }
const canaryTexts = (tenant: string) => [canaryOf.get(tenant) ?? '']

const sawPage = (page: number) => (lines: ProbeObservation[]) =>
  ['a', 'b', 'noisy'].every((reader) => lines.some((o) => o.reader === reader && o.page === page))

test('a list is followed to its last page, three pages a question', async () => {
  const lines = await observed(paged(canaryTexts), {
    listNext,
    until: (lines) => sawPage(5)(lines) && rounds(1)(lines),
  })
  const pages = lines.filter((o) => o.reader === 'a' && o.probe === 'list').map((o) => o.page)
  expect(new Set(pages)).toEqual(new Set([1, 2, 3, 4, 5]))
  const questions = pages.filter((page) => page === 1).length
  expect(questions).toBeGreaterThanOrEqual(2)
  expect(pages.length).toBeLessThanOrEqual(3 * questions)
  expect(findings(lines)).toEqual(['held', 'held'])
  expect(judged(lines).canaries.reason).toMatch(/; lists were asked for to page 5$/)
})

test('a leak that begins behind the first page of a list is broken', async () => {
  const system = paged((tenant, from) => canaryTexts(from >= 6 ? 'a' : tenant))
  const { canaries } = judged(await observed(system, { listNext, until: sawPage(4) }))
  expect(canaries).toMatchObject({ finding: 'broken', tenants: ['a'] })
  expect(canaries.witness[0]?.what).toMatch(
    /^(b|noisy): canary \w{12} of a in page 4 of its list of runs \(200, body, plain\)$/,
  )
  // Whoever asks for the first page only cannot see it, and says so.
  const blind = judged(await observed(system))
  expect(blind.canaries).toMatchObject({ finding: 'held' })
  expect(blind.canaries.reason).toMatch(
    /; of lists the first page only was asked, as the target names no way to the next$/,
  )
})

test('a cursor that leads nowhere ends the question', async () => {
  const loops: System = (asked, res) =>
    asked.id === null ? send(res, 200, { at: 'x', of: canaryTexts(asked.tenant) }) : notFound(asked, res)
  const lines = await observed(loops, { listNext: { cursorAt: 'at', param: 'after' }, until: rounds(3) })
  const pages = lines.filter((o) => o.probe === 'list').map((o) => o.page)
  expect(new Set(pages)).toEqual(new Set([1, 2]))
})
