// partywall doctor: what is installed, what is missing, how to get it. With --fix it installs Redis, by the platform's own
// package manager. Refuses to call sudo: without the right it prints the command and ends with 4.

import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism, tmpdir, totalmem } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline/promises'
import { exitCodes } from '../failure.ts'
import { onPath } from '../stack/guard.ts'
import { commandText, type PackageManager, POLICY_FILE, packageManagers, withoutServices } from '../stack/install.ts'
import { freePort, OLDEST_MAJOR, serverPrograms, serverVersion } from '../stack/redis.ts'

/** What the doctor touches of the machine; tests give their own. */
export interface Machine {
  nodeVersion: string
  onPath(program: string): string | null
  /** What a server's file says of its version; null when it says nothing. */
  versionOf(file: string): string | null
  cores: number
  memoryGiB: number
  temporaryFolder: string
  isRoot: boolean
  isTerminal: boolean
  /** Debian's file that says whether packages may start services. */
  policyFile: string
  ask(question: string): Promise<boolean>
  /** Runs a command, its output shown on stderr; returns its exit code. */
  run(command: readonly string[], env: Record<string, string>): number
  say(line: string): void
  /** Writes the JSON document to stdout. */
  print(text: string): void
}

export function thisMachine(): Machine {
  return {
    nodeVersion: process.versions.node,
    onPath,
    versionOf(file) {
      const ended = spawnSync(file, ['--version'], { encoding: 'utf8', timeout: VERSION_WITHIN_MS })
      return ended.status === 0 ? ended.stdout.trim() : null
    },
    cores: availableParallelism(),
    memoryGiB: totalmem() / 2 ** 30,
    temporaryFolder: tmpdir(),
    isRoot: process.getuid?.() === 0,
    isTerminal: process.stdin.isTTY === true && process.stderr.isTTY === true,
    policyFile: POLICY_FILE,
    async ask(question) {
      const lines = createInterface({ input: process.stdin, output: process.stderr })
      const answer = await lines.question(`${question} [Y/n] `)
      lines.close()
      return /^(y|yes|)$/i.test(answer.trim())
    },
    run([program = '', ...args], env) {
      const ended = spawnSync(program, args, { stdio: ['ignore', 2, 2], env: { ...process.env, ...env } })
      return ended.status ?? 1
    },
    say: (line) => process.stderr.write(`${line}\n`),
    print: (text) => process.stdout.write(text),
  }
}

interface Check {
  what: 'Node' | 'Redis' | 'ports' | 'temporary folder' | 'cores' | 'memory'
  /** A gate runs with a `doubtful` machine, and its verdict is then more often inconclusive. */
  state: 'ok' | 'missing' | 'doubtful'
  detail: string
  /** How to get it; absent when it is there. */
  fix?: string
}

const VERSION_WITHIN_MS = 2000
const NODE_WANTED = [22, 22] as const
const PORTS_WANTED = 3

async function checks(machine: Machine): Promise<Check[]> {
  const { cores, memoryGiB } = machine
  return [
    node(machine.nodeVersion),
    redis(machine),
    await ports(),
    temporary(machine.temporaryFolder),
    cores >= 2
      ? { what: 'cores', state: 'ok', detail: `${cores}` }
      : { what: 'cores', state: 'doubtful', detail: `${cores}`, fix: '2 or more: load and target share them' },
    memoryGiB >= 1.5
      ? { what: 'memory', state: 'ok', detail: `${memoryGiB.toFixed(1)} GiB` }
      : { what: 'memory', state: 'doubtful', detail: `${memoryGiB.toFixed(1)} GiB`, fix: '1.5 GiB or more' },
  ]
}

function node(version: string): Check {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  const enough = major > NODE_WANTED[0] || (major === NODE_WANTED[0] && minor >= NODE_WANTED[1])
  if (enough) return { what: 'Node', state: 'ok', detail: version }
  const fix = `${NODE_WANTED.join('.')} or newer: call it by npm run, which brings Node 24`
  return { what: 'Node', state: 'missing', detail: version, fix }
}

function redis(machine: Machine): Check {
  const what = 'Redis'
  const manager = managerOf(machine)
  // The first on PATH is the one that a run starts.
  const file = serverPrograms.map((name) => machine.onPath(name)).find((found) => found !== null)
  if (!file) {
    const fix = manager ? commandText(manager) : BY_HAND
    return { what, state: 'missing', detail: 'no redis-server or valkey-server on PATH', fix }
  }
  const version = serverVersion(machine.versionOf(file) ?? '')
  if (version !== null && version.major >= OLDEST_MAJOR)
    return { what, state: 'ok', detail: `${version.name}, ${file}` }
  const found = version === null ? `${file} does not say its version` : `${file} is ${version.name}`
  const detail = `${found}; ${OLDEST_MAJOR}.0 or newer is wanted, for its function libraries`
  const newer = `put redis-server or valkey-server ${OLDEST_MAJOR}.0 or newer first on PATH`
  const fix = manager ? `\`${commandText(manager)}\`, or where that has nothing newer: ${newer}` : newer
  return { what, state: 'missing', detail, fix }
}

async function ports(): Promise<Check> {
  const found: number[] = []
  try {
    for (let i = 0; i < PORTS_WANTED; i++) found.push(await freePort())
    return { what: 'ports', state: 'ok', detail: `free ones on 127.0.0.1, for instance ${found[0]}` }
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error)
    return { what: 'ports', state: 'missing', detail, fix: 'let this user listen on 127.0.0.1' }
  }
}

function temporary(folder: string): Check {
  try {
    const made = mkdtempSync(join(folder, 'partywall-doctor-'))
    try {
      writeFileSync(join(made, 'written'), 'x')
    } finally {
      rmSync(made, { recursive: true, force: true })
    }
    return { what: 'temporary folder', state: 'ok', detail: folder }
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error)
    return { what: 'temporary folder', state: 'missing', detail, fix: 'make it writeable, or name another in TMPDIR' }
  }
}

const BY_HAND = 'no package manager that we know: install Redis 7 or newer by hand and put redis-server on PATH'

const managerOf = (machine: Machine) => packageManagers.find(({ program }) => machine.onPath(program) !== null)

/** @returns the exit code: 0 when nothing is missing any more, 4 otherwise */
export async function doctor(
  options: { fix: boolean; yes: boolean; json: boolean },
  machine: Machine = thisMachine(),
): Promise<number> {
  let found = await checks(machine)
  const redisMissing = found.some(({ what, state }) => what === 'Redis' && state === 'missing')
  if (options.fix && redisMissing && (await installRedis(options, machine))) found = await checks(machine)
  for (const { what, state, detail, fix } of found) {
    machine.say(`${state.padEnd(8)} ${what}: ${detail}${fix ? ` (${fix})` : ''}`)
  }
  if (options.json) machine.print(`${JSON.stringify(found, null, 2)}\n`)
  const missing = found.filter(({ state }) => state === 'missing').length
  if (missing === 0) {
    machine.say('nothing is missing')
    return exitCodes.pass
  }
  machine.say(`${missing} missing${options.fix ? '' : '; `npm run setup` installs what can be installed'}`)
  return exitCodes.environment
}

async function installRedis(options: { yes: boolean }, machine: Machine): Promise<boolean> {
  const manager = managerOf(machine)
  if (!manager) return false
  const text = commandText(manager)
  if (manager.needsRoot && !machine.isRoot) {
    machine.say(`Redis is missing or too old, and installing it needs root. Run as root:\n  ${text}`)
    return false
  }
  if (machine.isTerminal && !options.yes && !(await machine.ask(`Redis is missing or too old. Run \`${text}\`?`)))
    return false
  if (manager.program !== 'apt-get') return runAll(manager, machine)
  machine.say('the package will not start a Redis service now; it may do so at the next boot')
  return withoutServices(() => runAll(manager, machine), machine.policyFile)
}

function runAll(manager: PackageManager, machine: Machine): boolean {
  for (const command of manager.commands) {
    machine.say(`running: ${command.join(' ')}`)
    const code = machine.run(command, { DEBIAN_FRONTEND: 'noninteractive' })
    if (code === 0) continue
    machine.say(`\`${command.join(' ')}\` ended with exit code ${code}; run it by hand to see more`)
    return false
  }
  return true
}
