// Definitions, kept by their text: one is parsed once, not once a run. Refuses what the schema refuses, as null.

import { z } from 'zod'
import { type Definition, definitionSchema, parseInput } from '../workflow.ts'

const KEPT = 1000

const text = z
  .string()
  .transform((given) => parseInput(given)?.value)
  .pipe(definitionSchema)

export class Definitions {
  readonly #known = new Map<string, Definition | null>()

  of(given: string): Definition | null {
    const known = this.#known.get(given)
    if (known !== undefined) return known
    const definition = text.safeParse(given).data ?? null
    if (this.#known.size >= KEPT) this.#known.clear()
    this.#known.set(given, definition)
    return definition
  }
}
