// For a key that a file may not hold: the one that was probably meant. Pure.

import { z } from 'zod'

interface Shape {
  properties?: Record<string, Shape>
  items?: Shape
  prefixItems?: Shape[]
  additionalProperties?: Shape | boolean
  anyOf?: Shape[]
  oneOf?: Shape[]
  allOf?: Shape[]
}

/** Keys that a schema knows at a path, over all of its alternatives. */
export function keysAt(schema: z.ZodType, path: readonly PropertyKey[]): string[] {
  const root = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as Shape
  let shapes = alternatives(root)
  for (const step of path) shapes = shapes.flatMap((shape) => below(shape, step)).flatMap(alternatives)
  return [...new Set(shapes.flatMap(({ properties }) => Object.keys(properties ?? {})))]
}

function alternatives(shape: Shape): Shape[] {
  const { anyOf = [], oneOf = [], allOf = [] } = shape
  return [shape, ...[...anyOf, ...oneOf, ...allOf].flatMap(alternatives)]
}

function below({ properties, items, additionalProperties }: Shape, step: PropertyKey): Shape[] {
  if (typeof step === 'number') return items === undefined ? [] : [items]
  const named = properties?.[String(step)]
  if (named !== undefined) return [named]
  return typeof additionalProperties === 'object' ? [additionalProperties] : []
}

/** The known key that is nearest in spelling; null when none is within a third of its length. */
export function nearest(key: string, known: readonly string[]): string | null {
  let best: { name: string; edits: number } | null = null
  for (const name of known) {
    const edits = editsBetween(key.toLowerCase(), name.toLowerCase())
    if (
      edits <= Math.max(1, Math.ceil(Math.max(key.length, name.length) / 3)) &&
      edits < (best?.edits ?? Number.POSITIVE_INFINITY)
    ) {
      best = { name, edits }
    }
  }
  return best?.name ?? null
}

/** Levenshtein's distance, one row at a time. */
function editsBetween(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const swap = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(swap, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1))
    }
    row = next
  }
  return row[b.length] ?? 0
}
