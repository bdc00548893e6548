// The engine's configuration, from the environment; `--workers` may say the number of worker processes. Refuses to guess: everything that is wrong is said at once, and the
// process ends with code 2.

import { parseArgs } from 'node:util'
import { z } from 'zod'
import { StartError } from './errors.ts'

const schema = z.object({
  PARTYWALL_REDIS_URL: z.string().regex(/^(rediss?|unix):\/\/\S+$/, 'give a URL like redis://127.0.0.1:6379'),
  PARTYWALL_PORT: z.coerce.number().int().min(0).max(65_535).default(0),
  PARTYWALL_ADMIN_TOKEN: z
    .string()
    .regex(/^[\x21-\x7e]{16,512}$/, 'give 16 to 512 printable characters without spaces'),
  PARTYWALL_NAMESPACE: z
    .string()
    .regex(/^[a-z0-9-]{1,64}$/, 'give 1 to 64 of a-z, 0-9 and -')
    .default('0'),
  PARTYWALL_SLOTS: z.coerce.number().int().min(1).max(10_000).default(16),
  PARTYWALL_WORKERS: z.coerce.number().int().min(0).max(64).default(0),
  PARTYWALL_ROLE: z.enum(['api', 'worker']).default('api'),
  PARTYWALL_LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).default('warn'),
  PARTYWALL_EPHEMERAL: z.enum(['0', '1']).default('0'),
})

export interface Config {
  redisUrl: string
  port: number
  adminToken: string
  namespace: string
  /** Runs at the same time in each process. */
  slots: number
  /** Processes beside this one that only run steps. */
  workers: number
  role: 'api' | 'worker'
  logLevel: string
  ephemeral: boolean
}

function askedWorkers(args: readonly string[]): string | undefined {
  // Not strict: the second door has arguments of its own.
  const { values } = parseArgs({ args: [...args], options: { workers: { type: 'string' } }, strict: false })
  return typeof values.workers === 'string' ? values.workers : undefined
}

export function readConfig(given: NodeJS.ProcessEnv, args: readonly string[] = []): Config {
  const workers = askedWorkers(args)
  const environment = workers === undefined ? given : { ...given, PARTYWALL_WORKERS: workers }
  const result = schema.safeParse(environment)
  if (!result.success) {
    const wrong = result.error.issues.map(({ path, message }) => {
      const name = path.join('.')
      return environment[name] === undefined ? `${name} is not set` : `${name}: ${message}`
    })
    throw new StartError(2, `configuration: ${wrong.join('; ')}`)
  }
  const found = result.data
  return {
    redisUrl: found.PARTYWALL_REDIS_URL,
    port: found.PARTYWALL_PORT,
    adminToken: found.PARTYWALL_ADMIN_TOKEN,
    namespace: found.PARTYWALL_NAMESPACE,
    slots: found.PARTYWALL_SLOTS,
    workers: found.PARTYWALL_WORKERS,
    role: found.PARTYWALL_ROLE,
    logLevel: found.PARTYWALL_LOG_LEVEL,
    ephemeral: found.PARTYWALL_EPHEMERAL === '1',
  }
}
