// partywall run: parses the options, runs, shows, and answers with the designed exit code.

import { randomInt } from 'node:crypto'
import { z } from 'zod'
import { actColumns, actRows, actsSummary } from '../../reports/acts-summary.ts'
import { columns, defectLine, rows, summary } from '../../reports/summary.ts'
import { exitCodes, Failure } from '../failure.ts'
import { type ActsResult, runActs } from '../run/acts.ts'
import { writeInto } from '../run/folder.ts'
import type { RunOptions } from '../run/options.ts'
import { type RunResult, runScenario } from '../run/sequence.ts'
import { loadScenario } from '../scenario/load.ts'
import { listDefects } from '../target/seeded-defects.ts'
import { showProgress } from './progress.ts'
import { table } from './table.ts'

export interface RunArguments {
  scenario: string
  target: string
  defect?: string | undefined
  redis?: string | undefined
  out?: string | undefined
  seed?: string | undefined
  budget?: string | undefined
  json: boolean
}

const seedSchema = z.string().regex(/^\d{1,9}$/)
const budgetSchema = z.string().regex(/^\d{1,5}s?$/)

function seconds(budget: string): number {
  const parsed = budgetSchema.safeParse(budget)
  if (!parsed.success) {
    throw new Failure('usage', 'budget-invalid', `--budget ${budget} is no time`, {
      fix: 'give whole seconds, for instance --budget 60s',
    })
  }
  return Number.parseInt(parsed.data, 10)
}

function runSeedOf(seed: string | undefined): number {
  if (seed === undefined) return randomInt(1e9)
  if (!seedSchema.safeParse(seed).success) {
    throw new Failure('usage', 'seed-invalid', `--seed ${seed} is no run seed`, {
      fix: 'give a whole number of at most 9 digits',
    })
  }
  return Number(seed)
}

async function targetOf({ target, defect, redis }: RunArguments): Promise<RunOptions['target']> {
  if (target !== 'reference') {
    if (!/\.ya?ml$/.test(target)) {
      throw new Failure('usage', 'target-unknown', `there is no target \`${target}\``, {
        fix: 'choose reference, or give a .yaml file',
      })
    }
    if (defect)
      throw new Failure('usage', 'defect-elsewhere', '--defect breaks the reference engine only', {
        fix: 'leave --defect or --target out',
      })
    if (redis)
      throw new Failure('usage', 'redis-elsewhere', '--redis is for the reference engine only', {
        fix: 'leave --redis or --target out',
      })
    return { kind: 'http', file: target }
  }
  if (defect === undefined) return { kind: 'reference', defect: null }
  const names = (await listDefects()).map(({ name }) => name)
  if (!names.includes(defect)) {
    throw new Failure('usage', 'defect-unknown', `there is no seeded defect \`${defect}\``, {
      fix: `choose one of: ${names.join(', ')}`,
    })
  }
  return { kind: 'reference', defect }
}

export async function run(argv: RunArguments): Promise<number> {
  const scenario = loadScenario(argv.scenario)
  const target = await targetOf(argv)
  const runSeed = runSeedOf(argv.seed)
  const { redis, out, budget } = argv
  const budgetS = budget === undefined ? undefined : seconds(budget)
  if (budgetS !== undefined && scenario.kind === 'acts') {
    throw new Failure('usage', 'budget-elsewhere', 'acts take the time that they take; --budget is for a flood', {
      fix: 'leave --budget out',
    })
  }
  process.stderr.write(
    `partywall run ${scenario.scenario}: target ${argv.target}${argv.defect ? ` with seeded defect ${argv.defect}` : ''}, Redis ${redis ? 'given' : 'private'}, run seed ${runSeed}${budgetS === undefined ? '' : `, budget ${budgetS} s`}\n`,
  )
  const abort = new AbortController()
  const interrupt = () => abort.abort()
  process.on('SIGINT', interrupt)
  process.on('SIGTERM', interrupt)
  const progress = showProgress(process.stderr)
  const common = {
    target,
    runSeed,
    signal: abort.signal,
    ...(redis === undefined ? {} : { redisUrl: redis }),
    ...(out === undefined ? {} : { out }),
  }
  try {
    if (scenario.kind === 'acts') {
      const onAct = (words: string) => void process.stderr.write(`${words}\n`)
      return showActs(await runActs({ ...common, scenario, onAct }), argv.json)
    }
    const result = await runScenario({
      ...common,
      scenario,
      ...(budgetS === undefined ? {} : { budgetS }),
      onProgress: progress.tell,
      onKept: (folder) => void process.stderr.write(`what was measured until then is kept: ${folder}\n`),
    })
    progress.end()
    return show(result, argv.json)
  } catch (error) {
    progress.end()
    throw error
  } finally {
    process.off('SIGINT', interrupt)
    process.off('SIGTERM', interrupt)
  }
}

function show({ folder, evidence, verdict }: RunResult, json: boolean): number {
  const outcome = evidence.interrupted ? 'interrupted' : verdict.outcome
  const defect = defectLine(evidence)
  if (json) {
    const { scenario, target, runSeed, defectTrips } = evidence
    process.stdout.write(
      `${JSON.stringify({ folder, scenario, target, runSeed, defect: evidence.defect, defectTrips, interrupted: evidence.interrupted, verdict }, null, 2)}\n`,
    )
  } else {
    const lines = [
      table(columns, rows(verdict)),
      ...evidence.notApplicable.map(({ what, why }) => `  ${what}: not applicable. ${why}`),
      '',
      ...(defect ? [defect] : []),
      `verdict: ${outcome}`,
      ...verdict.reasons.map((reason) => `  ${reason}`),
      `files: ${folder}`,
    ]
    process.stderr.write(`${lines.join('\n')}\n`)
  }
  // Last: a full disk must not keep the verdict from being told.
  writeInto(folder, 'summary.md', summary(evidence, verdict))
  return exitCodes[outcome]
}

function showActs({ folder, evidence, verdict }: ActsResult, json: boolean): number {
  const outcome = evidence.interrupted ? 'interrupted' : verdict.outcome
  const { scenario, target, runSeed, defect, defectTrips, interrupted } = evidence
  if (json) {
    const said = { folder, scenario, target, runSeed, defect, defectTrips, interrupted, verdict }
    process.stdout.write(`${JSON.stringify(said, null, 2)}\n`)
  } else {
    const tripped = defectLine(evidence)
    const lines = [
      table(actColumns, actRows(verdict)),
      '',
      ...(tripped ? [tripped] : []),
      `verdict: ${outcome}`,
      ...verdict.reasons.map((reason) => `  ${reason}`),
      `files: ${folder}`,
    ]
    process.stderr.write(`${lines.join('\n')}\n`)
  }
  writeInto(folder, 'summary.md', actsSummary(evidence, verdict))
  return exitCodes[outcome]
}
