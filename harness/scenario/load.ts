// Finds a scenario by name or path and loads it.

import { existsSync, readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { Failure } from '../failure.ts'
import { defaultExportOf, isModulePath } from '../user-module.ts'
import { type ActsScenario, type Scenario, type ScenarioInput, scenarioSchema } from './schema.ts'
import { inWords, readYaml, spelledOut } from './yaml.ts'

/** The folder of the scenarios that ship with the project: beside the sources, or one level up from the build. */
function shippedFolder(): string {
  const near = fileURLToPath(new URL('../../scenarios/', import.meta.url))
  return existsSync(near) ? near : fileURLToPath(new URL('../../../scenarios/', import.meta.url))
}

export function shippedScenarios(): string[] {
  return readdirSync(shippedFolder())
    .filter((file) => file.endsWith('.yaml'))
    .map((file) => file.slice(0, -'.yaml'.length))
    .sort()
}

/** @param nameOrPath a shipped scenario's name, or a path ending in .yaml or .yml */
export function loadScenario(nameOrPath: string): Scenario | ActsScenario {
  if (/\.ya?ml$/.test(nameOrPath)) return readYaml(nameOrPath, scenarioSchema, 'scenario')
  const names = shippedScenarios()
  if (!names.includes(nameOrPath)) {
    throw new Failure('usage', 'scenario-unknown', `there is no scenario \`${nameOrPath}\``, {
      fix: `choose one of: ${names.join(', ')}; or give the path of a .yaml file or of a module`,
    })
  }
  return readYaml(`${shippedFolder()}${nameOrPath}.yaml`, scenarioSchema, 'scenario')
}

/** For authors: types the default export of a scenario module, and does nothing else. */
export function defineScenario(scenario: ScenarioInput): ScenarioInput {
  return scenario
}

/** A scenario by its name, by its file, or as it is written in a module. @throws Failure usage, with all that is wrong in it */
export async function scenarioOf(asked: string | ScenarioInput): Promise<Scenario | ActsScenario> {
  if (typeof asked === 'string' && !isModulePath(asked)) return loadScenario(asked)
  const [file, given] =
    typeof asked === 'string' ? [asked, await defaultExportOf(asked, 'scenario')] : ['the scenario', asked]
  const parsed = scenarioSchema.safeParse(given)
  if (parsed.success) return parsed.data
  throw new Failure(
    'usage',
    'scenario-invalid',
    parsed.error.issues
      .flatMap(spelledOut)
      .map((issue) => `${file}: ${inWords(issue, scenarioSchema)}`)
      .join('\n'),
    {
      fix: 'mend the scenario at the places named; `defineScenario` lets the compiler find most of them',
    },
  )
}
