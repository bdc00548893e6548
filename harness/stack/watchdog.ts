// The watchdog process: outlives its parent by a moment and clears up after it. It holds one pipe; the parent says which
// processes and folders are its own, one line each, and when the pipe ends, for whatever reason, what is still on the list
// goes. A parent that was killed with SIGKILL can do nothing any more, which is why this is a process of its own.
// Refuses to remove any folder but a `partywall-` one directly under the temporary folder, and one of an unfinished run.

import { existsSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, resolve } from 'node:path'
import { takeBack, type Unfinished } from './unfinished.ts'

/** How long a folder may resist, for instance because a process that was just killed still holds it. */
const REMOVE_WITHIN_MS = 5000

const pids = new Set<number>()
const dirs = new Set<string>()
let unfinished: Unfinished | null = null

function obey(line: string): void {
  const space = line.indexOf(' ')
  const rest = line.slice(space + 1)
  const word = line.slice(0, space)
  // 0 would be our own group and 1 is init: neither can have been spawned by anybody.
  const pid = Number(rest)
  const pidValid = Number.isSafeInteger(pid) && pid > 1
  if (word === 'pid' && pidValid) pids.add(pid)
  else if (word === 'forget-pid') pids.delete(pid)
  else if (word === 'dir' && removable(rest)) dirs.add(rest)
  else if (word === 'forget-dir') dirs.delete(rest)
  else if (word === 'unfinished') unfinished = JSON.parse(rest)
}

function removable(path: string): boolean {
  return path === resolve(path) && dirname(path) === resolve(tmpdir()) && basename(path).startsWith('partywall-')
}

function kill(pid: number): void {
  // The group first, for children of the child; then the process, should it not lead a group.
  for (const id of [-pid, pid]) {
    try {
      process.kill(id, 'SIGKILL')
    } catch {
      // Gone already.
    }
  }
}

function clearUp(): void {
  for (const pid of pids) kill(pid)
  if (unfinished) takeBack(unfinished)
  const until = Date.now() + REMOVE_WITHIN_MS
  const remove = () => {
    for (const dir of dirs) {
      try {
        rmSync(dir, { recursive: true, force: true })
      } catch {
        // Written to while being removed: the next round gets it.
      }
      if (!existsSync(dir)) dirs.delete(dir)
    }
    if (dirs.size > 0 && Date.now() < until) setTimeout(remove, 20)
    else process.exit(0)
  }
  remove()
}

// Only the end of the pipe ends us: a signal to us must not leave the parent's things behind.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {})

let unread = ''
process.stdin.setEncoding('utf8')
process.stdin.on('data', (chunk: string) => {
  const lines = (unread + chunk).split('\n')
  unread = lines.pop() ?? ''
  for (const line of lines) obey(line)
})
process.stdin.on('error', clearUp)
process.stdin.on('end', clearUp)
process.stdout.on('error', () => {})
process.stdout.write('ready\n')
