// The life of the engine's process, the same for both doors: configuration, start, one line when ready, drain on SIGTERM.
// Refuses to show a stack trace to somebody who only got a setting wrong: one message, a designed exit code.

import { type Logger, pino } from 'pino'
import { type Config, readConfig } from './config.ts'
import { StartError } from './errors.ts'
import { type Engine, type EngineParts, startEngine, startWorker } from './index.ts'
import { openLog } from './telemetry/log.ts'
import { WorkerProcesses } from './workers/processes.ts'

const GRACE_MS = 5000
const START_WITHIN_MS = 2800

type Stoppable = Pick<Engine, 'stop'>

export async function serve(parts: EngineParts = {}, beforeExit: () => void = () => {}): Promise<void> {
  try {
    const config = readConfig(process.env, process.argv.slice(2))
    const log = openLog(config.logLevel, pino.destination({ dest: 2, sync: false }))
    if (config.role === 'worker') {
      const worker = await withinDeadline(startWorker({ ...config, log }, parts), config.redisUrl)
      const stop = stopOnSignal(worker, beforeExit)
      // Whoever started this process is gone.
      process.once('disconnect', stop)
      return
    }
    const { engine, port } = await serveApi(config, log, parts)
    stopOnSignal(engine, beforeExit)
    process.stdout.write(`${JSON.stringify({ ready: true, port })}\n`)
  } catch (error) {
    process.stderr.write(`partywall engine: ${error instanceof Error ? error.message : String(error)}\n`)
    process.exit(error instanceof StartError ? error.exitCode : 4)
  }
}

async function serveApi(config: Config, log: Logger, parts: EngineParts): Promise<{ engine: Stoppable; port: number }> {
  const engine = await withinDeadline(startEngine({ ...config, log }, config.port, parts), config.redisUrl)
  const workers = new WorkerProcesses(config.workers, log)
  const stop = async (graceMs: number) => {
    // The API answers until the last process has told what became of its runs.
    await Promise.all([workers.stop(graceMs), engine.drain(graceMs)])
    await engine.stop(graceMs)
  }
  return { engine: { stop }, port: engine.port }
}

async function withinDeadline<T>(starting: Promise<T>, redisUrl: string): Promise<T> {
  const where = URL.canParse(redisUrl) ? new URL(redisUrl).host : redisUrl
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new StartError(4, `Redis at ${where} does not answer`)), START_WITHIN_MS)
  })
  try {
    return await Promise.race([starting, late])
  } catch (error) {
    if (error instanceof StartError) throw error
    const reason = error instanceof Error ? error.message : String(error)
    if (reason.includes('EADDRINUSE') || reason.includes('EACCES')) throw new StartError(4, `cannot listen: ${reason}`)
    throw new StartError(4, `Redis at ${where} cannot be used: ${reason}`, error)
  } finally {
    clearTimeout(timer)
  }
}

function stopOnSignal(engine: Stoppable, beforeExit: () => void): () => void {
  let stopping = false
  const stop = () => {
    if (stopping) return
    stopping = true
    engine
      .stop(GRACE_MS)
      .catch((error: unknown) => process.stderr.write(`partywall engine: while stopping: ${String(error)}\n`))
      .finally(() => {
        beforeExit()
        process.exit(0)
      })
  }
  process.on('SIGTERM', stop)
  process.on('SIGINT', stop)
  return stop
}
