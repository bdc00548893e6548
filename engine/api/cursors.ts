// Positions that a client keeps for us (a page's cursor, an event's id), bound to one tenant and one use. Refuses a
// position that another tenant was given, or an earlier tenant of the same name, exactly as it refuses a made-up one.

import { createHmac } from 'node:crypto'
import { EngineError } from '../errors.ts'
import { sameDigest } from '../tenant.ts'
import { fitsHalf, isEntryId } from '../workflow.ts'

/** 96 bits. */
const MARK_CHARACTERS = 16
const SHAPE = /^(\d{1,20}(?:-\d{1,20}){1,2})\.([\w-]{16})$/

export type CursorUse = 'runs' | 'events' | 'dead-letters'

/** Behind it nothing can come, and Redis answers a question for what does with an error. */
const LAST_ID = '18446744073709551615-18446744073709551615'

/** A tenant knows its token, so it can make a mark: what is marked is looked at as if it were not. */
function isPlace(use: CursorUse, position: string): boolean {
  const timed = use === 'runs' ? /^(\d+)-(.+)$/.exec(position) : null
  if (use === 'runs') return timed !== null && fitsHalf(timed[1] ?? '') && isEntryId(timed[2] ?? '')
  return isEntryId(position) && position !== LAST_ID
}

export class Cursors {
  readonly #key: string

  /** The key is the digest of the tenant's token: all processes know it, and a new tenant of the same name has another. */
  constructor(key: string) {
    this.#key = key
  }

  #mark(use: CursorUse, position: string): string {
    return createHmac('sha256', this.#key).update(`${use} ${position}`).digest('base64url').slice(0, MARK_CHARACTERS)
  }

  /** `position` is a stream id, or a time and a stream id. */
  bind(use: CursorUse, position: string): string {
    return `${position}.${this.#mark(use, position)}`
  }

  /** @throws EngineError cursor-invalid */
  open(use: CursorUse, cursor: string): string {
    const [, position = '', mark = ''] = SHAPE.exec(cursor) ?? []
    if (!isPlace(use, position) || !sameDigest(mark, this.#mark(use, position))) throw new EngineError('cursor-invalid')
    return position
  }
}
