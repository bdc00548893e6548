// The reference engine's process: started, watched, killed without warning when a probe asks for that, stopped. Refuses to
// know what is asked of it over HTTP.

import { randomBytes } from 'node:crypto'
import type { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { Failure } from '../failure.ts'
import { passedOn } from '../stack/environment.ts'
import type { Guard } from '../stack/guard.ts'
import type { TargetExit } from './port.ts'

export interface ReferenceParts {
  guard: Guard
  redisUrl: string
  /** Keeps our scheduler keys apart on a Redis that was given to us. */
  namespace: string
  defect: string | null
  /** Runs that it works at the same time; its own default where left out. */
  slots?: number
}

const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js'
export const engineScript = (path: string) =>
  fileURLToPath(new URL(`../../engine/${path}.${extension}`, import.meta.url))

/**
 * The engine shares its cores with Redis and with whoever asks it. Four threads of V8 that mark its heap at the same time
 * (the default) take both of two cores from all of them for 60 ms; one thread does it beside the others, and a larger
 * nursery lets less get old. Its README has the figures.
 */
const GARBAGE_KEPT_SMALL = ['--v8-pool-size=1', '--max-semi-space-size=64']

/** What `node` is called with to serve the engine. */
export const engineCommand = (path: string, ...args: string[]) => [...GARBAGE_KEPT_SMALL, engineScript(path), ...args]

const tripLine = z.object({ trips: z.number() })
const readyLine = z.object({ port: z.number() })

const READY_WITHIN_MS = 15_000
const KILL_AFTER_MS = 7000

export class ReferenceProcess {
  readonly adminToken = randomBytes(24).toString('base64url')
  readonly exited: Promise<TargetExit>
  readonly #parts: ReferenceParts
  readonly #ended = Promise.withResolvers<TargetExit>()
  #child: ReturnType<Guard['spawn']> | null = null
  #port = 0
  /** We end it ourselves: its exit is no death. */
  #ending = false
  /** Of the processes before this one, and of this one. */
  #tripsBefore = 0
  #trips: number | null = null

  constructor(parts: ReferenceParts) {
    this.#parts = parts
    this.exited = this.#ended.promise
  }

  get origin(): string {
    return `http://127.0.0.1:${this.#port}`
  }

  get trips(): number | null {
    return this.#trips === null ? null : this.#tripsBefore + this.#trips
  }

  async start(): Promise<void> {
    const { defect, guard, redisUrl, namespace, slots } = this.#parts
    const args = defect ? engineCommand('defects/main', '--defect', defect) : engineCommand('main')
    const child = guard.spawn(process.execPath, args, {
      stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
      env: {
        ...passedOn(['PATH']),
        PARTYWALL_REDIS_URL: redisUrl,
        PARTYWALL_PORT: String(this.#port),
        PARTYWALL_ADMIN_TOKEN: this.adminToken,
        PARTYWALL_NAMESPACE: namespace,
        PARTYWALL_EPHEMERAL: '1',
        ...(slots === undefined ? {} : { PARTYWALL_SLOTS: String(slots) }),
      },
    })
    this.#child = child
    this.#ending = false
    const said = tail(child.stderr)
    child.on('exit', (code, signal) => {
      if (this.#ending) return
      const how = signal ? `ended by ${signal}` : `ended with exit code ${code}`
      const last = said()
      this.#ended.resolve({ reason: `the engine's process ${how}${last ? ` after saying: ${last}` : ''}` })
    })
    const relay = child.stdio[3]
    if (relay) {
      eachLine(relay as Readable, (line) => {
        this.#trips = tripLine.safeParse(parseJson(line)).data?.trips ?? this.#trips
      })
    }
    this.#port = await readyPort(child.stdout, this.exited)
  }

  /** SIGKILL, and the same program again at the same port. */
  async crash(): Promise<void> {
    const child = this.#child
    if (!child) return
    this.#ending = true
    const gone = new Promise((resolve) => child.once('exit', resolve))
    child.kill('SIGKILL')
    await gone
    this.#tripsBefore += this.#trips ?? 0
    if (this.#trips !== null) this.#trips = 0
    await this.start()
  }

  async stop(): Promise<void> {
    this.#ending = true
    const child = this.#child
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    const gone = new Promise((resolve) => child.once('exit', resolve))
    child.kill('SIGTERM')
    const killer = setTimeout(() => child.kill('SIGKILL'), KILL_AFTER_MS)
    await gone
    clearTimeout(killer)
  }
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    return null
  }
}

function eachLine(stream: Readable, visit: (line: string) => void): void {
  let rest = ''
  stream.setEncoding('utf8')
  stream.on('error', () => {})
  stream.on('data', (chunk: string) => {
    const lines = (rest + chunk).split('\n')
    rest = lines.pop() ?? ''
    lines.forEach(visit)
  })
}

/** The last line that a process said, for the reason of its end. */
function tail(stream: Readable | null): () => string {
  let last = ''
  if (stream) {
    eachLine(stream, (line) => {
      if (line.trim() !== '') last = line.slice(0, 300)
    })
  }
  return () => last
}

async function readyPort(stdout: Readable | null, exited: Promise<TargetExit>): Promise<number> {
  const ready = Promise.withResolvers<number>()
  if (stdout) {
    eachLine(stdout, (line) => {
      const parsed = readyLine.safeParse(parseJson(line))
      if (parsed.success) ready.resolve(parsed.data.port)
    })
  }
  const timer = setTimeout(
    () => ready.reject(new Error(`not ready within ${READY_WITHIN_MS / 1000} s`)),
    READY_WITHIN_MS,
  )
  try {
    return await Promise.race([ready.promise, exited.then(({ reason }) => Promise.reject(new Error(reason)))])
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new Failure('environment', 'target-not-starting', `the reference engine did not start: ${why}`, {
      fix: 'run `npm run -s partywall -- doctor`; it says what is missing',
      cause,
    })
  } finally {
    clearTimeout(timer)
  }
}
