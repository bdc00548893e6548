// The redis-streams adapter: an engine whose work is entries in a stream per tenant, floods and measures those streams
// directly. Adds entries and reads; makes no group, deletes and trims nothing. Loopback only, as everywhere.

import { Redis } from 'ioredis'
import { Failure } from '../failure.ts'
import { redisUrl } from '../loopback.ts'
import { readYaml } from '../scenario/yaml.ts'
import { filledFromEnvironment } from './environment-values.ts'
import type { Completion, Target, TenantAccess, TenantPlan } from './port.ts'
import { type RedisStreamsFile, redisStreamsSchema } from './redis-streams-schema.ts'
import { streamGroup } from './stream-group.ts'

const BACKLOG_COUNTED = 1000

/** @param file path of the YAML file. @throws Failure usage when it is wrong, environment when the Redis is not there */
export function redisStreamsTarget(file: string): Target {
  const spec = readYaml(file, redisStreamsSchema, 'target')
  const url = urlOf(file, filledFromEnvironment(file, spec.redis))
  const free = [...spec.tenants]
  const redis = new Redis(url.href, {
    lazyConnect: true,
    maxRetriesPerRequest: 0,
    connectTimeout: 3000,
    commandTimeout: 3000,
    enableOfflineQueue: false,
  })
  redis.on('error', () => {}) // told by the commands
  return {
    name: `redis-streams ${url.host}`,
    capabilities: new Set(['backlog', 'stream']),
    exited: new Promise(() => {}),

    async start() {
      try {
        await redis.connect()
        await redis.ping()
      } catch (cause) {
        throw new Failure('environment', 'target-unreachable', `the Redis at ${url.host} does not answer`, {
          fix: `start it, or mend \`redis\` in ${file}`,
          cause,
        })
      }
    },

    async provision(plan: TenantPlan) {
      const id = plan.label === 'noisy' ? free.pop() : free.shift()
      if (id === undefined) {
        const what = `${file} lists ${spec.tenants.length} tenants; the scenario wants more`
        throw new Failure('usage', 'too-few-tenants', what, { fix: 'list as many tenants as the scenario has' })
      }
      const access = accessOf(spec, url.href, plan, id)
      await refuseUnworked(file, redis, access, spec.group)
      return access
    },

    async remove() {},

    async reach() {
      await redis.ping()
    },

    /** Pending and not yet delivered. */
    async backlog({ stream }) {
      if (!stream) return null
      const group = await streamGroup(redis, stream.key, spec.group)
      if (group === null) return null
      const rest =
        group.lag ?? (await redis.xrange(stream.key, `(${group.delivered}`, '+', 'COUNT', BACKLOG_COUNTED)).length
      return group.pending + rest
    },

    async trips() {
      return null
    },

    async stop() {
      redis.disconnect()
    },
  }
}

/** The password in it is not repeated in what is said of it. */
function urlOf(file: string, text: string): URL {
  const named = redisUrl(text)
  if ('url' in named) return named.url
  if (named.fault === 'elsewhere') {
    const what = `${file}: load goes to loopback only, and ${named.hostname} is not`
    throw new Failure('usage', 'target-not-loopback', what, {
      fix: 'run the engine and its Redis on this machine and name 127.0.0.1',
    })
  }
  const why = named.fault === 'options' ? 'takes no query and no fragment' : 'is no URL of a Redis'
  throw new Failure('usage', 'target-invalid', `${file}: \`redis\` ${why}`, {
    fix: 'write it like redis://127.0.0.1:6379',
  })
}

function accessOf(spec: RedisStreamsFile, redisUrl: string, plan: TenantPlan, id: string): TenantAccess {
  const keyOf = (template: string) => template.replaceAll('{id}', id)
  const fields = plan.label === 'noisy' && spec.noisyFields !== undefined ? spec.noisyFields : spec.fields
  return {
    label: plan.label,
    id,
    // Nothing is asked over HTTP.
    origin: 'http://127.0.0.1',
    stepMs: spec.stepMs,
    stream: { redisUrl, key: keyOf(spec.stream), fields },
    completion: completionOf(spec, keyOf),
  }
}

function completionOf({ done, group, everyMs }: RedisStreamsFile, keyOf: (template: string) => string): Completion {
  if (done === 'acknowledged') return { by: 'acknowledged', group, everyMs }
  const { results, id, status, failed } = done
  return {
    by: 'results',
    key: keyOf(results),
    idField: id,
    failed,
    ...(status === undefined ? {} : { statusField: status }),
  }
}

/** A stream that no group works would take entries for ever. */
async function refuseUnworked(
  file: string,
  redis: Redis,
  { label, stream }: TenantAccess,
  group: string,
): Promise<void> {
  const key = stream?.key ?? ''
  if ((await streamGroup(redis, key, group)) !== null) return
  throw new Failure('environment', 'group-absent', `the stream ${key} of ${label} has no consumer group ${group}`, {
    fix: `start the engine that makes it, or mend \`stream\`, \`group\` and \`tenants\` in ${file}`,
  })
}
