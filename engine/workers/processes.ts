// Worker processes beside the one that serves the API: started again when they die, drained when it stops. Refuses to
// restart in a hot loop: a process that dies young waits longer each time.

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Logger } from 'pino'

/** Tells the same program that it is to run steps and nothing else. */
const WORKER_ROLE = { PARTYWALL_ROLE: 'worker' } as const

const FIRST_WAIT_MS = 100
const LONGEST_WAIT_MS = 5000
const YOUNG_MS = 10_000
/** Over the grace that the process itself gives its runs. */
const KILL_AFTER_MS = 1500

export class WorkerProcesses {
  readonly #log: Logger
  readonly #children = new Set<ChildProcess>()
  readonly #timers = new Set<NodeJS.Timeout>()
  #stopped = false

  constructor(count: number, log: Logger) {
    this.#log = log
    for (let i = 0; i < count; i++) this.#start(FIRST_WAIT_MS)
  }

  /** The same program with the same arguments: a part that was replaced in this process is replaced in that one. */
  #start(waitMs: number): void {
    const env = { ...process.env, ...WORKER_ROLE }
    const args = [...process.execArgv, ...process.argv.slice(1)]
    // The channel is a lifeline: when this process is killed, it breaks, and the child ends too.
    const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'ignore', 'inherit', 'ignore', 'ipc'] })
    const since = performance.now()
    this.#children.add(child)
    child.once('error', (error) => this.#log.error({ reason: error.message }, 'a worker process could not be started'))
    child.once('exit', (code, signal) => {
      this.#children.delete(child)
      if (this.#stopped) return
      const young = performance.now() - since < YOUNG_MS
      this.#log.error({ pid: child.pid, code, signal, waitMs }, 'a worker process died; starting another')
      const timer = setTimeout(() => {
        this.#timers.delete(timer)
        this.#start(young ? Math.min(2 * waitMs, LONGEST_WAIT_MS) : FIRST_WAIT_MS)
      }, waitMs)
      this.#timers.add(timer)
    })
  }

  async stop(graceMs: number): Promise<void> {
    this.#stopped = true
    for (const timer of this.#timers) clearTimeout(timer)
    await Promise.all(
      [...this.#children].map(async (child) => {
        const gone = once(child, 'exit')
        child.kill('SIGTERM')
        const killer = setTimeout(() => child.kill('SIGKILL'), graceMs + KILL_AFTER_MS)
        await gone
        clearTimeout(killer)
      }),
    )
  }
}
