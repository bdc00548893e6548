// The noise makers and their sink as one, at a server that leaks: what they did in each arm, what the sink learned, and what
// the noisy tenant was answered, before the first block too.

import { afterEach, expect, test } from 'vitest'
import { Failure } from '../../harness/failure.ts'
import { type NoiseCrew, startNoiseCrew } from '../../harness/run/noise-crew.ts'
import type { NoiseScenario } from '../../harness/scenario/noise-schema.ts'
import type { Call, TenantAccess } from '../../harness/target/port.ts'
import { Canaries } from '../../harness/tenants/canary.ts'
import { httpTarget, KEY, later, tidy } from '../load/targets.ts'

afterEach(tidy)

const canaries = new Canaries(KEY)
const [foreign, own] = [canaries.mintFor(0).mint(), canaries.mintFor(1).mint()]
const nowUs = () => Number(process.hrtime.bigint()) / 1000

async function crewAt(origin: string, noise: NoiseScenario): Promise<NoiseCrew> {
  const call = (path: string): Call => ({ method: 'POST', path, headers: {}, body: '{"input":"{{canary}}"}' })
  const noisy: TenantAccess = {
    label: 'noisy',
    id: 'noisy',
    origin,
    stepMs: 1,
    start: call('/work'),
    starts: { slow: call('/slow') },
    completion: { by: 'response' },
  }
  const labelOf = (owner: number) => ['quiet-1', 'noisy'][owner] ?? 'unknown'
  const cleaners: Array<() => Promise<unknown>> = []
  later(async () => {
    for (const clean of cleaners.reverse()) await clean()
  })
  return await startNoiseCrew({ noise, noisy, canary: own, canaryKey: KEY, labelOf }, cleaners)
}

test('a leak into the answers of the rehearsal is one, and is told once', async () => {
  let asked = 0
  const origin = await httpTarget((request, response) => {
    request.resume()
    // One answer shows what is the neighbour's, in a header; all others what is the tenant's own.
    response.writeHead(202, asked++ === 7 ? { 'x-cache-key': foreign } : {}).end(own)
  })
  const crew = await crewAt(origin, { api: { requestsPerSecond: 80, connections: 5 } })
  await crew.tryOut('noise', nowUs)
  const lines = crew.take()
  expect(lines).toContainEqual({ t: 'received', tenant: 'noisy', messages: 40, own: 40 })
  expect(lines.filter(({ t }) => t === 'sighting')).toEqual([
    expect.objectContaining({ receiver: 'noisy', owner: 'quiet-1', digest: canaries.read(foreign)?.digest }),
  ])
  expect(crew.take()).toEqual([])
  expect(crew.tally.noise.makers).toEqual({})
})

test('each maker has its figures in each arm, and a placebo that answers like its target', async () => {
  const origin = await httpTarget((request, response) => {
    request.resume()
    if (request.url === '/slow') setTimeout(() => response.writeHead(202).end('{"slow":true}'), 60)
    else request.once('end', () => response.writeHead(429).end('{"slow":false}'))
  })
  const noise: NoiseScenario = {
    slow: { requestsPerSecond: 20, connections: 10, runMs: 60 },
    payload: { requestsPerSecond: 20, connections: 2, allowedBytes: 20_000, aboveShare: 0.5 },
    retry: { requestsPerSecond: 60, connections: 10, retries: 2 },
  }
  const crew = await crewAt(origin, noise)
  await crew.tryOut('noise', nowUs)
  await crew.teachSink()
  await crew.tryOut('placebo', nowUs)
  for (const arm of ['placebo', 'noise', 'placebo'] as const) {
    await crew.block(arm, { startUs: nowUs(), lengthMs: 500, nowUs })
  }
  const { placebo, noise: at } = crew.tally
  const figures = (arm: typeof placebo) =>
    Object.entries(arm.makers).map(([name, { ordered, sent, answered, refused, errors, sinkSeen }]) => {
      return [name, ordered, sent, answered, refused, errors, sinkSeen]
    })
  expect(figures(at)).toEqual([
    ['slow', 10, 10, 10, 0, 0, 0],
    ['payload', 10, 10, 10, 10, 0, 0],
    ['retry', 30, 30, 30, 30, 0, 0],
  ])
  expect(figures(placebo)).toEqual([
    ['slow', 20, 20, 20, 0, 0, 20],
    ['payload', 20, 20, 20, 20, 0, 20],
    ['retry', 60, 60, 60, 60, 0, 60],
  ])
  expect([placebo.apiSent, placebo.apiRefused, crew.ordered.placebo]).toEqual([100, 80, { api: 100, stream: 0 }])
  const parts = Object.values(placebo.makers).map(({ cpuUs }) => cpuUs)
  expect(parts.reduce((sum, cpuUs) => sum + cpuUs, 0)).toBe(placebo.cpuUs)
})

test('in an A/A run the noise of both arms goes to the sink, and only the rehearsal to the target', async () => {
  let asked = 0
  const origin = await httpTarget((request, response) => {
    asked++
    request.resume()
    request.once('end', () => response.writeHead(202).end('{}'))
  })
  const crew = await crewAt(origin, { to: 'sink', api: { requestsPerSecond: 40, connections: 5 } })
  await crew.tryOut('noise', nowUs)
  await crew.teachSink()
  for (const arm of ['placebo', 'noise', 'noise'] as const) {
    await crew.block(arm, { startUs: nowUs(), lengthMs: 500, nowUs })
  }
  // Half a second of the rehearsal.
  expect(asked).toBe(20)
  const { placebo, noise } = crew.tally
  const figures = ({ makers: { api } }: typeof noise) => [api?.ordered, api?.sent, api?.answered, api?.sinkSeen]
  expect(figures(placebo)).toEqual([20, 20, 20, 20])
  expect(figures(noise)).toEqual([40, 40, 40, 40])
})

test('a target that none of the noise can reach is refused with what is missing', async () => {
  const error = await crewAt('http://127.0.0.1:1', { stream: { entriesPerSecond: 5 } }).catch((caught) => caught)
  expect(error).toBeInstanceOf(Failure)
  expect([error.kind, error.message]).toEqual([
    'usage',
    expect.stringContaining('stream flood: the target offers no direct stream access'),
  ])
})
