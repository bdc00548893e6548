// What the tests of the stack ask about processes. Refuses to count a zombie as alive: it is only waiting to be reaped.

import { readFileSync } from 'node:fs'

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
