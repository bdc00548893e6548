// Owns every process and temporary folder that a run makes, so that all of it is gone at the end: by close(), by the
// watchdog when we are killed, and on Linux by the kernel's parent-death signal as well.
// Refuses to know what the processes are; starting and asking them is their owner's business.

import { type ChildProcess, execFile, type SpawnOptions, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { accessSync, constants, mkdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Failure } from '../failure.ts'
import { passedOn } from './environment.ts'
import type { Unfinished } from './unfinished.ts'

const TERM_WITHIN_MS = 3000
const READY_WITHIN_MS = 10_000
const WATCHDOG_END_WITHIN_MS = 6000

export interface Guard {
  /** Starts a process in a group of its own, so that Ctrl-C at the terminal reaches us and not it. */
  spawn(command: string, args: readonly string[], options?: SpawnOptions): ChildProcess
  /** Makes a private folder under the temporary folder. @param name lower case letters, digits and hyphens */
  tempDir(name: string): string
  /** To be told before it is made: the folder of a run, which goes again when we are killed before it has evidence. */
  watch(unfinished: Unfinished): void
  /** Ends the processes (SIGTERM, after 3 s SIGKILL), removes the folders, ends the watchdog. May be called twice. */
  close(): Promise<void>
}

/** The first executable file of that name on PATH. */
export function onPath(name: string, path = process.env.PATH ?? ''): string | null {
  for (const folder of path.split(delimiter)) {
    if (folder === '') continue
    const file = join(folder, name)
    try {
      accessSync(file, constants.X_OK)
      return file
    } catch {
      // Not here.
    }
  }
  return null
}

/** setpriv that knows --pdeathsig, tried and not assumed: busybox has one that does not. */
async function findSetpriv(): Promise<string | null> {
  const file = process.platform === 'linux' ? onPath('setpriv') : null
  if (file === null) return null
  const works = await new Promise<boolean>((done) => {
    execFile(file, ['--pdeathsig', 'KILL', '--', 'true'], { timeout: 2000 }, (error) => done(error === null))
  })
  return works ? file : null
}

async function startWatchdog(): Promise<ChildProcess> {
  // The sibling has our own extension: .ts in a checkout, .js in dist.
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js'
  const file = fileURLToPath(new URL(`./watchdog.${extension}`, import.meta.url))
  const env = passedOn(['TMPDIR', 'TMP', 'TEMP'])
  const child = spawn(process.execPath, [file], { detached: true, cwd: '/', env, stdio: ['pipe', 'pipe', 'ignore'] })
  child.stdin?.on('error', () => {})
  const timer = setTimeout(() => child.kill('SIGKILL'), READY_WITHIN_MS)
  try {
    const ended = once(child, 'exit').then(([code, signal]) => {
      throw new Error(`it ended with ${signal ?? `exit code ${code}`}`)
    })
    ended.catch(() => {})
    await Promise.race([child.stdout ? once(child.stdout, 'data') : ended, ended])
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new Failure('environment', 'watchdog-not-starting', `the watchdog process did not start: ${why}`, {
      fix: 'look for a limit on processes or memory',
      cause,
    })
  } finally {
    clearTimeout(timer)
  }
  child.stdout?.destroy()
  // It must not keep us alive: when we end without close(), the pipe ends too and it clears up.
  child.unref()
  const { stdin } = child
  if (stdin && 'unref' in stdin && typeof stdin.unref === 'function') stdin.unref()
  return child
}

/** @throws Failure environment when the watchdog cannot be started */
export async function openGuard(): Promise<Guard> {
  const [watchdog, setpriv] = await Promise.all([startWatchdog(), findSetpriv()])
  return new ProcessGuard(watchdog, setpriv)
}

class ProcessGuard implements Guard {
  readonly #watchdog: ChildProcess
  readonly #setpriv: string | null
  readonly #children = new Map<number, ChildProcess>()
  readonly #dirs = new Set<string>()
  #closing: Promise<void> | null = null

  constructor(watchdog: ChildProcess, setpriv: string | null) {
    this.#watchdog = watchdog
    this.#setpriv = setpriv
  }

  /** Reaches the kernel before it returns: libuv writes at once while nothing is queued, and a line is short. */
  #tell(line: string): void {
    const { stdin } = this.#watchdog
    if (stdin?.writable) stdin.write(`${line}\n`)
  }

  spawn(command: string, args: readonly string[], options: SpawnOptions = {}): ChildProcess {
    if (this.#closing) throw new Error('the guard is closed')
    const [file, line] = this.#setpriv
      ? [this.#setpriv, ['--pdeathsig', 'KILL', '--', command, ...args]]
      : [command, args]
    const child = spawn(file, line, { ...options, detached: true })
    const { pid } = child
    if (pid === undefined) return child
    this.#tell(`pid ${pid}`)
    this.#children.set(pid, child)
    child.once('exit', () => {
      // What it started in its group must not outlive it.
      signalGroup(pid, 'SIGKILL')
      this.#children.delete(pid)
      this.#tell(`forget-pid ${pid}`)
    })
    return child
  }

  tempDir(name: string): string {
    if (this.#closing) throw new Error('the guard is closed')
    if (!/^[a-z0-9-]+$/.test(name)) throw new Error(`not a name for a folder: ${name}`)
    const path = join(resolve(tmpdir()), `partywall-${name}-${randomBytes(6).toString('hex')}`)
    this.#dirs.add(path)
    // First told, then made: in the other order a SIGKILL between the two would leave it behind.
    this.#tell(`dir ${path}`)
    mkdirSync(path, { mode: 0o700 })
    return path
  }

  watch(unfinished: Unfinished): void {
    this.#tell(`unfinished ${JSON.stringify(unfinished)}`)
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    await Promise.all([...this.#children].map(([pid, child]) => endGroup(pid, child)))
    for (const path of this.#dirs) {
      rmSync(path, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 })
      this.#tell(`forget-dir ${path}`)
    }
    this.#dirs.clear()
    const watchdog = this.#watchdog
    if (watchdog.exitCode !== null || watchdog.signalCode !== null) return
    watchdog.ref()
    const ended = once(watchdog, 'exit')
    watchdog.stdin?.end()
    const killer = setTimeout(() => watchdog.kill('SIGKILL'), WATCHDOG_END_WITHIN_MS)
    await ended
    clearTimeout(killer)
  }
}

function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal)
  } catch {
    // The whole group is gone.
  }
}

async function endGroup(pid: number, child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  child.ref()
  const ended = once(child, 'exit')
  signalGroup(pid, 'SIGTERM')
  const killer = setTimeout(() => signalGroup(pid, 'SIGKILL'), TERM_WITHIN_MS)
  await ended
  clearTimeout(killer)
}
