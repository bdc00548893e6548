// A job server whose guilt is known: it does every job in a time of its own choosing, and while its noisy tenant sends
// anything, the jobs of one other tenant take so many times as long. Nothing else passes from one tenant to another: the noisy
// one is refused at once. Knows nothing of who measures it.
// Env: TOKENS=id:token,id:token PORT (0: any free) VICTIM=id TIMES (1: innocent) NOISY=id

import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'

const { TOKENS = '', PORT = '0', VICTIM = 'a', TIMES = '1', NOISY = 'noisy' } = process.env
type Job = { id: string; tenant: string; input: unknown }

/** Median of a job and the spread of its logarithm: the p99 is 48 ms, so that a millisecond more or less is 2 %. */
const MEDIAN_MS = 15
const SIGMA = 0.5
/** As long after the last request of the noisy tenant it still counts as noisy. */
const NOISY_FOR_MS = 100

const tenants = TOKENS.split(',').map((entry) => {
  const [id = '', token = ''] = entry.split(':')
  return { id, token, last: [] as Job[] }
})
const byToken = new Map(tenants.map((tenant) => [`Bearer ${tenant.token}`, tenant]))
const jobs = new Map<string, Job>()
let [count, noisyAtMs] = [0, Number.NEGATIVE_INFINITY]
const json = (res: ServerResponse, status: number, body: unknown) =>
  res.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))

function takesMs(tenant: string): number {
  const normal = Math.sqrt(-2 * Math.log(1 - Math.random())) * Math.cos(2 * Math.PI * Math.random())
  const hurt = tenant === VICTIM && performance.now() - noisyAtMs < NOISY_FOR_MS
  return MEDIAN_MS * Math.exp(SIGMA * normal) * (hurt ? Number(TIMES) : 1)
}

const server = createServer(async (req, res) => {
  const tenant = byToken.get(req.headers.authorization ?? '')
  const [, root, id] = (req.url ?? '').split('/')
  if (!tenant || root !== 'jobs') return json(res, tenant ? 404 : 401, { error: 'no such route or token' })
  if (req.method === 'GET' && !id) return json(res, 200, tenant.last)
  const known = jobs.get(id ?? '')
  if (req.method === 'GET' && known?.tenant === tenant.id) return json(res, 200, known)
  if (req.method !== 'POST') return json(res, 404, { error: 'no such job' })
  const body = await text(req)
  if (tenant.id === NOISY) {
    noisyAtMs = performance.now()
    return json(res, 429, { error: 'too many' })
  }
  const job = { id: `job-${++count}`, tenant: tenant.id, input: JSON.parse(body).input }
  setTimeout(() => {
    jobs.set(job.id, job)
    if (jobs.size > 10_000) jobs.delete(jobs.keys().next().value ?? '')
    tenant.last = [job, ...tenant.last.slice(0, 49)]
    json(res, 200, job)
  }, takesMs(tenant.id))
})
server.listen(Number(PORT), '127.0.0.1')
server.on('listening', () => console.log(`{"port":${(server.address() as AddressInfo).port}}`))
