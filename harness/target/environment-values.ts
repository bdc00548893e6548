// Credentials of a target file: named as ${NAME}, taken from the environment, never told.

import { Failure } from '../failure.ts'

/** @throws Failure usage for a variable that is not set, or that would break a line */
export function filledFromEnvironment(file: string, value: string): string {
  return value.replace(/\$\{([A-Z0-9_]+)\}/g, (_, variable: string) => {
    const found = process.env[variable]
    if (found === undefined) {
      const what = `${file} wants the environment variable ${variable}, which is not set`
      throw new Failure('usage', 'environment-variable-missing', what, { fix: `set ${variable} and run again` })
    }
    if (/[\r\n\0]/.test(found)) {
      const what = `${variable}, which ${file} names, has a line break in it`
      throw new Failure('usage', 'environment-variable-invalid', what, {
        fix: `set ${variable} to a value on one line`,
      })
    }
    return found
  })
}
