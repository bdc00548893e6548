// A target file in YAML is of one of two kinds, told apart by the key that says where the system is.

import { readFileSync } from 'node:fs'
import { httpTarget } from './http.ts'
import type { Target } from './port.ts'
import { redisStreamsTarget } from './redis-streams.ts'

/** @throws Failure usage when the file is wrong; a file that says neither is read as one of HTTP, whose reader says what is missing */
export function yamlTarget(file: string): Target {
  return /^redis\s*:/m.test(textOf(file)) ? redisStreamsTarget(file) : httpTarget(file)
}

/** One that cannot be read is told by its reader. */
function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}
