// Finds a scenario by name or path and loads it.

import { existsSync, readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { Failure } from '../failure.ts'
import { type ActsScenario, type Scenario, scenarioSchema } from './schema.ts'
import { readYaml } from './yaml.ts'

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
      fix: `choose one of: ${names.join(', ')}; or give the path of a .yaml file`,
    })
  }
  return readYaml(`${shippedFolder()}${nameOrPath}.yaml`, scenarioSchema, 'scenario')
}
