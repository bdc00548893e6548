// A user's own module: a target or a scenario in TypeScript or JavaScript. The only place where a path that we do not know
// is imported, and the default export is all that is taken of it.

import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { Failure } from './failure.ts'

export const isModulePath = (path: string) => /\.[cm]?[jt]s$/.test(path)

/**
 * @param what it is to hold: `target` or `scenario`
 * @throws Failure usage when the file is not there, cannot be run, or exports nothing as default
 */
export async function defaultExportOf(file: string, what: 'target' | 'scenario'): Promise<unknown> {
  const path = resolve(file)
  if (!existsSync(path)) {
    throw new Failure('usage', 'file-unreadable', `cannot read the ${what} file ${file}`, {
      fix: 'give the path of a file that exists and can be read',
    })
  }
  let loaded: { default?: unknown }
  try {
    loaded = await import(pathToFileURL(path).href)
  } catch (cause) {
    if (cause instanceof Failure) throw cause
    const why = cause instanceof Error ? `${cause.name}: ${cause.message.split('\n')[0]}` : String(cause)
    throw new Failure('usage', `${what}-invalid`, `${file} cannot be loaded: ${why}`, {
      fix: `mend the module; \`node ${file}\` shows the place`,
      cause,
    })
  }
  if (loaded.default === undefined) {
    throw new Failure('usage', `${what}-invalid`, `${file} exports no default`, {
      fix: `end the module with \`export default ${what === 'target' ? 'defineTarget(…)' : 'defineScenario(…)'}\``,
    })
  }
  return loaded.default
}
