// partywall list: scenarios, probes, seeded defects.

import { exitCodes } from '../failure.ts'
import { actProbes } from '../probes/act-probes.ts'
import { probes } from '../probes/list.ts'
import { loadScenario, shippedScenarios } from '../scenario/load.ts'
import { listDefects } from '../target/seeded-defects.ts'

export async function list(argv: { json: boolean }): Promise<number> {
  const scenarios = shippedScenarios().map((name) => ({ name, question: loadScenario(name).question }))
  const known = [...probes, ...actProbes].map(({ name, promise }) => ({ name, promise }))
  const defects = await listDefects()
  if (argv.json) {
    process.stdout.write(`${JSON.stringify({ scenarios, probes: known, defects }, null, 2)}\n`)
    return exitCodes.pass
  }
  const lines = [
    'scenarios',
    ...scenarios.map(({ name, question }) => `  ${name}: ${question}`),
    'probes',
    ...known.map(({ name, promise }) => `  ${name}: ${promise}`),
    'seeded defects',
    ...defects.map(({ id, name, what }) => `  ${id} ${name}: ${what}`),
  ]
  process.stdout.write(`${lines.join('\n')}\n`)
  return exitCodes.pass
}
