// The Redis user of a tenant's own event source, made with the very words that the API gives, on a real Redis: it writes
// into one stream and does nothing else, and it goes with its tenant.

import { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openStand, type Stand, type TenantClient, until } from './stand.ts'

let stand: Stand
let tenant: TenantClient
let access: { key: string; group: string; user: string; aclUserCommand: string[]; fields: { name: string }[] }

const PASSWORD = 'a-password-of-the-operator'

async function makeUser(words: string[]): Promise<void> {
  const [command = '', ...rest] = words.map((word) => word.replace('PASSWORD', PASSWORD))
  expect(await stand.redis.call(command, ...rest)).toBe('OK')
}

function connectAs(username: string): Redis {
  const { host = '127.0.0.1', port = 6379 } = stand.redis.options
  return new Redis({ host, port, username, password: PASSWORD, enableReadyCheck: false, retryStrategy: () => null })
}

beforeAll(async () => {
  stand = await openStand()
  tenant = await stand.tenant('writes')
  await stand.tenant('neighbour')
  const answer = await stand.admin('GET', '/v1/tenants/writes/stream')
  access = answer.json as unknown as typeof access
  await makeUser(access.aclUserCommand)
})
afterAll(async () => await stand.close())

test('the answer names the stream, its group, its fields and the user; only the administrator gets it', async () => {
  expect(access).toMatchObject({ key: 'tenant:{writes}:workflow:events', group: 'workers', user: 'partywall-writes' })
  expect(access.fields.map(({ name }) => name)).toEqual(['v', 'workflow', 'input', 'key'])
  expect((await tenant.call('GET', '/v1/tenants/writes/stream')).status).toBe(401)
  expect((await stand.admin('GET', '/v1/tenants/nobody/stream')).json?.code).toBe('tenant-unknown')
})

test('the user starts runs of its tenant', async () => {
  const writer = connectAs(access.user)
  const id = await writer.xadd(access.key, '*', 'v', '1', 'workflow', 'echo', 'input', '"direct"', 'key', 'k')
  const run = await until(async () => {
    const found = (await tenant.call('GET', `/v1/runs/run_writes_${id}`)).json
    return found?.status === 'done' ? found : null
  })
  expect(run).toMatchObject({ source: 'stream', output: 'direct', key: 'k' })
  writer.disconnect()
})

const denied: string[][] = [
  ['XADD', 'tenant:{neighbour}:workflow:events', '*', 'workflow', 'echo'],
  ['XADD', 'tenant:{writes}:workflow:history', '*', 'run', '1'],
  ['XADD', 'tenant:{writes}:workflow:events2', '*', 'run', '1'],
  ['XADD', 'sched:{test}:bell', '*', 'run', '1'],
  ['XREAD', 'STREAMS', 'tenant:{writes}:workflow:events', '0'],
  ['XRANGE', 'tenant:{writes}:workflow:events', '-', '+'],
  ['XREADGROUP', 'GROUP', 'workers', 'w', 'STREAMS', 'tenant:{writes}:workflow:events', '>'],
  ['XLEN', 'tenant:{writes}:workflow:events'],
  ['XDEL', 'tenant:{writes}:workflow:events', '1-1'],
  ['XGROUP', 'DESTROY', 'tenant:{writes}:workflow:events', 'workers'],
  ['DEL', 'tenant:{writes}:workflow:events'],
  ['HGETALL', 'tenant:{writes}:ctl'],
  ['HSET', 'tenant:{writes}:ctl', 'concurrentRuns', '10000'],
  ['SCAN', '0'],
  ['KEYS', '*'],
  ['FLUSHALL'],
  ['FCALL', 'pw_00000000_admit', '0'],
  ['EVAL', 'return 1', '0'],
  ['PUBLISH', 'sched:{test}:void', 'writes *'],
  ['SPUBLISH', 'tenant:{neighbour}:workflow:wake', '1'],
  ['SUBSCRIBE', 'sched:{test}:void'],
  ['ACL', 'LIST'],
  ['CONFIG', 'GET', '*'],
  ['CLIENT', 'LIST'],
  ['INFO'],
  ['MONITOR'],
]

test.each(denied.map((words) => [words.join(' '), words] as const))('the user may not: %s', async (_, words) => {
  const [command = '', ...rest] = words
  expect(String(await stand.redis.acl('DRYRUN', access.user, command, ...rest))).toMatch(/has no permissions/)
  const writer = connectAs(access.user)
  await expect(writer.call(command, ...rest)).rejects.toThrow(/^NOPERM/)
  writer.disconnect()
})

test('what the user may, by a dry run, is to write into its own stream', async () => {
  expect(await stand.redis.acl('DRYRUN', access.user, 'XADD', access.key, '*', 'workflow', 'echo')).toBe('OK')
})

describe('with its tenant', () => {
  test('the user is removed, its connection is cut, and the proof says so', async () => {
    await stand.tenant('leaves')
    const { json } = await stand.admin('GET', '/v1/tenants/leaves/stream')
    await makeUser(json?.aclUserCommand as string[])
    const writer = connectAs('partywall-leaves')
    writer.on('error', () => {})
    await writer.xadd(String(json?.key), '*', 'workflow', 'echo')
    const proof = (await stand.admin('DELETE', '/v1/tenants/leaves')).json ?? {}
    expect(proof).toMatchObject({ removed: { aclUsers: 1 }, remaining: [] })
    expect(proof.looked).toContain('ACL user partywall-leaves')
    expect(await stand.redis.acl('GETUSER', 'partywall-leaves')).toBe(null)
    await expect(writer.xadd(String(json?.key), '*', 'workflow', 'echo')).rejects.toThrow()
    expect(await stand.redis.keys('*{leaves}*')).toEqual([])
    expect(await stand.redis.acl('GETUSER', 'partywall-writes')).not.toBe(null)
    writer.disconnect()
  })

  test('without one, the proof counts none and has looked all the same', async () => {
    await stand.tenant('plain')
    const proof = (await stand.admin('DELETE', '/v1/tenants/plain')).json ?? {}
    expect(proof).toMatchObject({ removed: { aclUsers: 0 }, remaining: [] })
    expect(proof.looked).toContain('ACL user partywall-plain')
  })
})
