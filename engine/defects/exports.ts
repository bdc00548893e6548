// Seeded defects: an export without the dead letters, its count made to fit; and exports that share a buffer, in which the
// last run of another tenant is still found. Count a trip for every line that was left out, or that was somebody else's.

import { Exporter } from '../api/export.ts'
import type { EngineParts } from '../index.ts'
import type { TenantId } from '../tenant.ts'
import type { Caller } from '../tenants.ts'
import type { Trips } from './trips.ts'

interface End {
  lines: number
  counts: Record<string, number>
}

const isOf = (kind: string, line: string) => line.startsWith(`{"kind":"${kind}"`)

/** The last line says how many there were. */
function recounted(line: string, kind: string, change: number): string {
  const end: End = JSON.parse(line)
  const counts = { ...end.counts, [kind]: (end.counts[kind] ?? 0) + change }
  return `${JSON.stringify({ ...end, lines: end.lines + change, counts })}\n`
}

export const exportWithoutLetters = (trips: Trips): EngineParts => {
  async function* without(lines: AsyncIterable<string>): AsyncGenerator<string> {
    let left = 0
    for await (const line of lines) {
      if (isOf('dead-letter', line)) {
        left++
        trips.count()
      } else yield isOf('end', line) ? recounted(line, 'dead-letter', -left) : line
    }
  }
  class Forgetful extends Exporter {
    override lines(caller: Caller): AsyncGenerator<string> {
      return without(super.lines(caller))
    }
  }
  return { makeExporter: (parts) => new Forgetful(parts) }
}

export const exportShared = (trips: Trips): EngineParts => {
  let kept: { owner: TenantId; line: string } | null = null
  async function* shared(lines: AsyncIterable<string>, caller: TenantId): AsyncGenerator<string> {
    let more = 0
    for await (const line of lines) {
      if (isOf('run', line)) {
        if (more === 0 && kept !== null && kept.owner !== caller) {
          more++
          trips.count()
          yield kept.line
        }
        kept = { owner: caller, line }
      }
      yield isOf('end', line) ? recounted(line, 'run', more) : line
    }
  }
  class Sharing extends Exporter {
    override lines(caller: Caller): AsyncGenerator<string> {
      return shared(super.lines(caller), caller.id)
    }
  }
  return { makeExporter: (parts) => new Sharing(parts) }
}
