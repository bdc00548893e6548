// Parses what a client sent, once. Refuses with all that is wrong at once, in the client's own words for its fields; a
// document with thousands of faults gets the first few.

import type { z } from 'zod'
import { EngineError, type ErrorCode } from '../errors.ts'

const FAULTS_TOLD = 10
const DETAIL_CHARACTERS = 1000

export function parsed<T extends z.ZodType>(schema: T, value: unknown, code: ErrorCode): z.output<T> {
  const result = schema.safeParse(value)
  if (result.success) return result.data
  const { issues } = result.error
  const told = issues.slice(0, FAULTS_TOLD).map(({ path, message }) => `${path.join('.') || 'request'}: ${message}`)
  if (issues.length > told.length) told.push(`and ${issues.length - told.length} more`)
  throw new EngineError(code, told.join('; ').slice(0, DETAIL_CHARACTERS).toWellFormed())
}
