// A small engine whose work is entries in a stream per tenant: takes turns between tenants, and writes what came of each entry
// into a results stream of the tenant. Settings from the environment: REDIS_URL, TENANTS, and what is wrong with it, if anything.
//   GREEDY=1  works one tenant's stream until it is empty, and only then the next
//   MIXED=1   now and then a result holds the output of whoever was worked before

import { Redis } from 'ioredis'

const { REDIS_URL = '', TENANTS = '', GREEDY, MIXED } = process.env
const GROUP = 'engine'
const tenants = TENANTS.split(',')
const redis = new Redis(REDIS_URL)
const entriesOf = (tenant: string) => `jobs:{${tenant}}`
const resultsOf = (tenant: string) => `results:{${tenant}}`

let last = ''
let worked = 0

async function turn(tenant: string): Promise<number> {
  const read = await redis.xreadgroup(
    'GROUP',
    GROUP,
    'worker',
    'COUNT',
    GREEDY ? 200 : 8,
    'STREAMS',
    entriesOf(tenant),
    '>',
  )
  const entries = (read as [string, [string, string[]][]][] | null)?.[0]?.[1] ?? []
  if (entries.length === 0) return 0
  const answers = redis.pipeline()
  for (const [id, fields] of entries) {
    const input = fields[fields.indexOf('input') + 1] ?? ''
    const output = MIXED && ++worked % 50 === 0 ? last : input
    last = input
    answers.xadd(resultsOf(tenant), 'MAXLEN', '~', 2000, '*', 'entry', id, 'status', 'done', 'output', output)
    answers.xack(entriesOf(tenant), GROUP, id)
    answers.xdel(entriesOf(tenant), id)
  }
  await answers.exec()
  return entries.length
}

for (const tenant of tenants) await redis.xgroup('CREATE', entriesOf(tenant), GROUP, '$', 'MKSTREAM')
process.stdout.write('ready\n')
for (;;) {
  let found = 0
  for (const tenant of tenants) {
    for (let more = await turn(tenant); more > 0; more = GREEDY ? await turn(tenant) : 0) found += more
  }
  if (found === 0) await new Promise((resolve) => setTimeout(resolve, 2))
}
