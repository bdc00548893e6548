// The values of options, parsed once: what was typed in, what is meant out. Refuses what is of no allowed form with a
// message that names it.

import { Failure } from '../failure.ts'

interface Range {
  /** Without its dashes. */
  option: string
  min: number
  max: number
}

/** A whole number in digits: no sign, no exponent, nothing that only looks like one. */
export function wholeNumber(text: string, { option, min, max }: Range): number {
  const value = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN
  if (value >= min && value <= max) return value
  throw new Failure('usage', `${option}-invalid`, `--${option} ${text} is no whole number from ${min} to ${max}`, {
    fix: `give a whole number from ${min} to ${max}, in digits`,
  })
}

/** Whole seconds, with or without the s. Whether they are enough depends on the scenario. */
export function budgetSeconds(text: string): number {
  const value = /^\d{1,5}s?$/.test(text) ? Number.parseInt(text, 10) : 0
  if (value >= 1 && value <= 86_400) return value
  throw new Failure('usage', 'budget-invalid', `--budget ${text} is no time`, {
    fix: 'give whole seconds from 1 to 86400, for instance --budget 60s',
  })
}

export function runSeedOf(text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text)
  throw new Failure('usage', 'seed-invalid', `--seed ${text} is no run seed`, {
    fix: 'give a whole number of at most 9 digits',
  })
}
