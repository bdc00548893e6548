// Parses what a client sent, once. Refuses with all that is wrong at once, in the client's own words for its fields.

import type { z } from 'zod'
import { EngineError, type ErrorCode } from '../errors.ts'

export function parsed<T extends z.ZodType>(schema: T, value: unknown, code: ErrorCode): z.output<T> {
  const result = schema.safeParse(value)
  if (result.success) return result.data
  const detail = result.error.issues.map(({ path, message }) => `${path.join('.') || 'body'}: ${message}`).join('; ')
  throw new EngineError(code, detail)
}
