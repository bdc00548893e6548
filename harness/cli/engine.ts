// partywall engine: serves the reference engine, as a process of its own, until it is told to stop. Refuses any Redis but a
// private one or the one that was named.

import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { z } from 'zod'
import { exitCodes, Failure } from '../failure.ts'
import { passedOn } from '../stack/environment.ts'
import { type Guard, openGuard } from '../stack/guard.ts'
import { type GivenRedis, type PrivateRedis, startPrivateRedis, useGivenRedis } from '../stack/redis.ts'
import { engineCommand } from '../target/reference-process.ts'
import { type AdminToken, adminToken, ourPlaces } from './admin-token.ts'
import { wholeNumber } from './values.ts'

export interface EngineArguments {
  port: string
  workers: string
  slots?: string | undefined
  redis?: string | undefined
  'admin-token-file'?: string | undefined
  json: boolean
}

const readyLine = z.object({ ready: z.literal(true), port: z.number() })

/** What of our environment the engine is to see; its settings come from the command line. */
const PASSED_ON = ['PATH', 'PARTYWALL_LOG_LEVEL', 'PARTYWALL_NAMESPACE'] as const

export async function engine(argv: EngineArguments): Promise<number> {
  const port = wholeNumber(argv.port, { option: 'port', min: 0, max: 65_535 })
  const workers = wholeNumber(argv.workers, { option: 'workers', min: 0, max: 64 })
  const slots = argv.slots === undefined ? null : wholeNumber(argv.slots, { option: 'slots', min: 1, max: 10_000 })
  const asked = new AbortController()
  const stop = () => asked.abort()
  process.on('SIGINT', stop)
  process.on('SIGTERM', stop)
  const guard = await openGuard()
  try {
    const token = adminToken(
      argv['admin-token-file'],
      ourPlaces(() => guard.tempDir('engine')),
    )
    const redis = argv.redis === undefined ? await startPrivateRedis(guard) : await useGivenRedis(argv.redis)
    const child = startEngine(guard, {
      PARTYWALL_REDIS_URL: redis.url,
      PARTYWALL_PORT: String(port),
      PARTYWALL_WORKERS: String(workers),
      PARTYWALL_ADMIN_TOKEN: token.value,
      ...(slots === null ? {} : { PARTYWALL_SLOTS: String(slots) }),
    })
    const ended = endOf(child, asked.signal)
    onceAborted(asked.signal, () => child.kill('SIGTERM'))
    const served = readyPort(child).then((servedPort) => {
      if (servedPort !== null) tell(servedPort, { redis, workers, token, json: argv.json })
    })
    // The engine says by itself, on stderr, why it could not start; its exit code has the meaning that ours has.
    const [code] = await Promise.all([Promise.race([ended, deathOf(redis)]), served])
    return code
  } finally {
    process.off('SIGINT', stop)
    process.off('SIGTERM', stop)
    await guard.close()
  }
}

function startEngine(guard: Guard, settings: Record<string, string>): ChildProcess {
  return guard.spawn(process.execPath, engineCommand('main'), {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...passedOn(PASSED_ON), ...settings },
  })
}

function onceAborted(signal: AbortSignal, work: () => void): void {
  if (signal.aborted) work()
  else signal.addEventListener('abort', work, { once: true })
}

/** Its exit code; told to stop before it could listen to that, it ends by the signal itself, and there was nothing to drain. */
async function endOf(child: ChildProcess, asked: AbortSignal): Promise<number> {
  const [code, signal] = await once(child, 'exit')
  if (typeof code === 'number') return code
  if (asked.aborted && signal === 'SIGTERM') return exitCodes.pass
  throw new Failure('environment', 'engine-ended', `the engine's process was ended by ${signal}`, {
    fix: 'look for whoever sent it, or for a lack of memory',
  })
}

/** Without its Redis there is nothing to serve, and a private one does not come back. */
async function deathOf(redis: GivenRedis | PrivateRedis): Promise<never> {
  if (redis.kind === 'given') return await new Promise<never>(() => {})
  throw new Failure('environment', 'redis-ended', await redis.exited, {
    fix: 'look for a lack of memory; then start again',
  })
}

/** The port that the engine says it serves; null when it ends without saying so. */
async function readyPort({ stdout }: ChildProcess): Promise<number | null> {
  if (!stdout) throw new Error('the engine was started without a pipe to hear it by')
  for await (const line of createInterface({ input: stdout })) {
    const parsed = readyLine.safeParse(JSON.parse(line))
    if (parsed.success) return parsed.data.port
  }
  return null
}

interface Served {
  redis: GivenRedis | PrivateRedis
  workers: number
  token: AdminToken
  json: boolean
}

function tell(port: number, { redis, workers, token, json }: Served): void {
  const origin = `http://127.0.0.1:${port}`
  if (json)
    process.stdout.write(`${JSON.stringify({ origin, port, redis: redis.version, workers, tokenFile: token.file })}\n`)
  const where = redis.kind === 'given' ? 'given' : 'private, gone at the end'
  process.stderr.write(
    `partywall engine: serves ${origin} (${redis.version}, ${where}; ${workers} worker processes beside it); ${token.use}; its routes: ${origin}/openapi.json\n`,
  )
}
