// A job server as a stranger might write it, a fair one: tenants take turns over 16 slots, at most 4 of them each, with at
// most 64 jobs waiting each. Answers when the job is done; refuses more with 429. Knows nothing of who measures it.
// Env: TOKENS=id:token,id:token PORT (0: any free) STEP (ms a job) UNCHECKED=1 (leaves out whose job it is on GET)
// FRAGILE=id (ends when this tenant comes)

import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'

const { TOKENS = '', PORT = '0', STEP = '2', UNCHECKED, FRAGILE } = process.env
type Job = { id: string; tenant: string; input: unknown }

const tenants = TOKENS.split(',').map((entry) => {
  const [id = '', token = ''] = entry.split(':')
  return { id, token, running: 0, waiting: [] as { job: Job; ms: number; res: ServerResponse }[], last: [] as Job[] }
})
const byToken = new Map(tenants.map((tenant) => [`Bearer ${tenant.token}`, tenant]))
const jobs = new Map<string, Job>()
let [count, busy, turn] = [0, 0, 0]
const json = (res: ServerResponse, status: number, body: unknown, headers = {}) =>
  res.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body))

function work() {
  for (let passed = 0; busy < 16 && passed < tenants.length; passed++) {
    const tenant = tenants[turn++ % tenants.length]
    const next = tenant && tenant.running < 4 ? tenant.waiting.shift() : undefined
    if (!tenant || !next) continue
    passed = -1
    busy++
    tenant.running++
    setTimeout(() => {
      busy--
      tenant.running--
      jobs.set(next.job.id, next.job)
      if (jobs.size > 10_000) jobs.delete(jobs.keys().next().value ?? '')
      tenant.last = [next.job, ...tenant.last.slice(0, 49)]
      json(next.res, 200, next.job)
      work()
    }, next.ms)
  }
}

const server = createServer(async (req, res) => {
  const tenant = byToken.get(req.headers.authorization ?? '')
  if (tenant && tenant.id === FRAGILE) process.exit(1)
  const [, root, id] = (req.url ?? '').split('/')
  if (!tenant || root !== 'jobs') return json(res, tenant ? 404 : 401, { error: 'no such route or token' })
  if (req.method === 'GET' && !id) return json(res, 200, tenant.last)
  const job = jobs.get(id ?? '')
  if (req.method === 'GET' && job && (UNCHECKED || job.tenant === tenant.id)) return json(res, 200, job)
  if (req.method !== 'POST') return json(res, 404, { error: 'no such job' })
  if (tenant.waiting.length >= 64) return json(res, 429, { error: 'queue full' }, { 'retry-after': '1' })
  try {
    const { input, ms = Number(STEP) } = JSON.parse(await text(req))
    tenant.waiting.push({ job: { id: `job-${++count}`, tenant: tenant.id, input }, ms, res })
    work()
  } catch {
    json(res, 400, { error: 'not JSON' })
  }
})
server.listen(Number(PORT), '127.0.0.1')
server.on('listening', () => console.log(`{"port":${(server.address() as AddressInfo).port}}`))
