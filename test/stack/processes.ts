// What tests ask about processes. Refuses to count a zombie as alive: it is only waiting to be reaped.

import { readdirSync, readFileSync } from 'node:fs'

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
  } catch {
    return false
  }
  try {
    // pid (name) STATE ...; the name may hold anything, so what counts comes after its last bracket.
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return !/^ [ZX]/.test(stat.slice(stat.lastIndexOf(')') + 1))
  } catch {
    // Gone between the two, or a system without /proc.
    return process.platform !== 'linux'
  }
}

interface Process {
  pid: number
  parent: number
  command: string
}

/** Every process of this machine, as /proc tells. */
function processes(): Process[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        const command = readFileSync(`/proc/${name}/cmdline`, 'utf8').replaceAll('\0', ' ').trim()
        const stat = readFileSync(`/proc/${name}/stat`, 'utf8')
        const [state, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
        return state === 'Z' ? [] : [{ pid: Number(name), parent: Number(parent), command }]
      } catch {
        return []
      }
    })
}

/** What a process started, and what that started. */
export function children(of: number): Process[] {
  const all = processes()
  const found: Process[] = []
  const add = (parent: number) => {
    for (const process of all.filter((one) => one.parent === parent)) {
      found.push(process)
      add(process.pid)
    }
  }
  add(of)
  return found
}
