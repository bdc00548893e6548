// Reads a request's body: one JSON document. Refuses what two readers could read differently (bytes that are not UTF-8, a
// member twice, a member that poses as a prototype) and a depth that a recursive writer could not follow.

import { isUtf8 } from 'node:buffer'
import { EngineError } from '../errors.ts'

export const DEPTH_MAX = 64

const malformed = (detail: string) => new EngineError('request-malformed', detail)

/** Undefined for an empty body: whether one is needed is the route's to say. */
export function parseJsonBody(bytes: Buffer): unknown {
  if (bytes.length === 0) return undefined
  if (!isUtf8(bytes)) throw malformed('the body is not UTF-8')
  const text = bytes.toString('utf8')
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw malformed('the body is not JSON')
  }
  checkMembers(text)
  return value
}

/** `text` is known to be JSON, so only quotes, brackets and commas need a look. */
function checkMembers(text: string): void {
  // The names of each open object; null for an array.
  const open: (Set<string> | null)[] = []
  let nameNext = false
  for (let at = 0; at < text.length; at++) {
    switch (text.charCodeAt(at)) {
      case 0x7b: // {
      case 0x5b: // [
        nameNext = text.charCodeAt(at) === 0x7b
        open.push(nameNext ? new Set() : null)
        if (open.length > DEPTH_MAX) throw malformed(`the body is more than ${DEPTH_MAX} levels deep`)
        break
      case 0x7d: // }
      case 0x5d: // ]
        open.pop()
        nameNext = false
        break
      case 0x2c: // ,
        nameNext = open.at(-1) !== null
        break
      case 0x22: {
        const end = endOfString(text, at)
        if (nameNext) addName(open.at(-1), text.slice(at, end + 1))
        nameNext = false
        at = end
      }
    }
  }
}

function endOfString(text: string, start: number): number {
  let at = start + 1
  while (text.charCodeAt(at) !== 0x22) at += text.charCodeAt(at) === 0x5c ? 2 : 1
  return at
}

function addName(names: Set<string> | null | undefined, quoted: string): void {
  const name: unknown = quoted.includes('\\') ? JSON.parse(quoted) : quoted.slice(1, -1)
  if (typeof name !== 'string' || !names) return
  if (name === '__proto__') throw malformed('a member may not be named __proto__')
  if (names.has(name)) throw malformed('a member occurs twice in one object')
  names.add(name)
}
