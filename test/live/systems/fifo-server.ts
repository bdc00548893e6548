// A job server as a stranger might write it, a naive one: one queue for everybody, first in first out, 4 slots. Answers 202
// at once and says when asked whether the job is done; refuses more than 5,000 waiting. Knows nothing of who measures it.
// Env: TOKENS=id:token,id:token PORT (0: any free) STEP (ms a job) UNCHECKED=1 (leaves out whose job it is on GET)

import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'

const { TOKENS = '', PORT = '0', STEP = '2', UNCHECKED } = process.env
type Job = { id: string; tenant: string; input: unknown; status: 'queued' | 'done' }

const tenants = TOKENS.split(',').map((entry) => {
  const [id = '', token = ''] = entry.split(':')
  return { id, token, last: [] as Job[] }
})
const byToken = new Map(tenants.map((tenant) => [`Bearer ${tenant.token}`, tenant]))
const jobs = new Map<string, Job>()
const queue: { job: Job; ms: number }[] = []
let [count, busy] = [0, 0]
const json = (res: ServerResponse, status: number, body: unknown, headers = {}) =>
  res.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body))

function work() {
  const next = busy < 4 ? queue.shift() : undefined
  if (!next) return
  busy++
  setTimeout(() => {
    busy--
    next.job.status = 'done'
    if (jobs.size - queue.length > 10_000) jobs.delete(jobs.keys().next().value ?? '')
    work()
  }, next.ms)
}

const server = createServer(async (req, res) => {
  const tenant = byToken.get(req.headers.authorization ?? '')
  const [, root, id] = (req.url ?? '').split('/')
  if (!tenant || root !== 'jobs') return json(res, tenant ? 404 : 401, { error: 'no such route or token' })
  if (req.method === 'GET' && !id) return json(res, 200, tenant.last)
  const job = jobs.get(id ?? '')
  if (req.method === 'GET' && job && (UNCHECKED || job.tenant === tenant.id)) return json(res, 200, job)
  if (req.method !== 'POST') return json(res, 404, { error: 'no such job' })
  if (queue.length >= 5000) return json(res, 429, { error: 'queue full' }, { 'retry-after': '1' })
  try {
    const { input, ms = Number(STEP) } = JSON.parse(await text(req))
    const queued: Job = { id: `job-${++count}`, tenant: tenant.id, input, status: 'queued' }
    jobs.set(queued.id, queued)
    tenant.last = [queued, ...tenant.last.slice(0, 49)]
    queue.push({ job: queued, ms })
    json(res, 202, { id: queued.id })
    work()
  } catch {
    json(res, 400, { error: 'not JSON' })
  }
})
server.listen(Number(PORT), '127.0.0.1')
server.on('listening', () => console.log(`{"port":${(server.address() as AddressInfo).port}}`))
