// What a user asks for, in the words of the command line or of a library call, as the run takes it. Refuses what does not go
// together before anything is started.

import { Failure } from '../failure.ts'
import { type AuthoredTargetModule, authoredTarget } from '../target/authored.ts'
import { listDefects } from '../target/seeded-defects.ts'
import { yamlTarget } from '../target/yaml-target.ts'
import { defaultExportOf, isModulePath } from '../user-module.ts'
import type { RunOptions } from './options.ts'

export interface AskedTarget {
  /** `reference`, the path of a .yaml or of a module, or (in a library call) what such a module would export. */
  target: string | AuthoredTargetModule
  defect?: string | undefined
  redis?: string | undefined
}

/** @throws Failure usage */
export async function targetOf({ target, defect, redis }: AskedTarget): Promise<RunOptions['target']> {
  if (target === 'reference') return { kind: 'reference', defect: defect === undefined ? null : await known(defect) }
  if (typeof target === 'string' && !/\.ya?ml$/.test(target) && !isModulePath(target)) {
    throw new Failure('usage', 'target-unknown', `there is no target \`${target}\``, {
      fix: 'choose reference, or give a .yaml file or a .ts module',
    })
  }
  if (defect !== undefined) {
    throw new Failure('usage', 'defect-elsewhere', '--defect breaks the reference engine only', {
      fix: 'leave --defect or --target out',
    })
  }
  if (redis !== undefined) {
    throw new Failure('usage', 'redis-elsewhere', '--redis is for the reference engine only', {
      fix: 'leave --redis or --target out',
    })
  }
  if (typeof target !== 'string') return { kind: 'foreign', make: () => authoredTarget('the target', target) }
  if (isModulePath(target)) {
    const exported = await defaultExportOf(target, 'target')
    return { kind: 'foreign', make: () => authoredTarget(target, exported) }
  }
  const read = yamlTarget(target)
  return { kind: 'foreign', make: async () => read }
}

async function known(defect: string): Promise<string> {
  const names = (await listDefects()).map(({ name }) => name)
  if (names.includes(defect)) return defect
  throw new Failure('usage', 'defect-unknown', `there is no seeded defect \`${defect}\``, {
    fix: `choose one of: ${names.join(', ')}`,
  })
}
